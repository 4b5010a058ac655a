"""The label error site, and the formulas and contracts it shares with ``ingest``."""

__version__ = "0.1.0"
