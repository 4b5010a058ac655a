"""Corrected test sets: from a catalogue connection and a policy to the bytes of a file.

The server and ``python -m ingest export`` call this package, so they write the same bytes. It knows nothing of
requests, pages or commands; ``app.domain.review.corrections`` decides what happens to each example.
"""
