"""Corrected test sets: from a connection to a catalogue and a policy to the bytes of a file.

The server and ``python -m ingest export`` write the same bytes because both call this package. It knows no request, no
page and no command; what happens to an example is decided in ``app.domain.review.corrections``.
"""
