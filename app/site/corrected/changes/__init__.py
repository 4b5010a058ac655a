"""Versions of a dataset and changes of its corrected test set: page, API and feed, read from ingest's log."""
