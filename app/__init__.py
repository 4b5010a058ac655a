"""The site of label errors, and what it shares with ``ingest``."""

__version__ = "0.1.0"
