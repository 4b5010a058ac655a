"""Which model is really better: pages and API about models, their ranking's stability, and a visitor's own predictions.

Everything shown was computed at ingest, by ``app.evaluation``, save for what a visitor sends.
"""
