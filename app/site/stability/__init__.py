"""Pages and API about models and how stable their ranking is on corrected labels.

Everything shown was computed at ingest by ``app.evaluation``, except for what a visitor sends.
"""
