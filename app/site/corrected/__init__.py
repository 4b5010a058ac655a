"""Corrected test sets: page, downloads, label look-ups, metadata and changes between versions."""
