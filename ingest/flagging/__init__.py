"""Confident learning over matrices larger than memory, on one process, many, or a cluster."""
