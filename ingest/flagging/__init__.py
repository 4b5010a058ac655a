"""Confident learning over matrices larger than memory, in one process, in many, or on a cluster."""
