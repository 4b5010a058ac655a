"""Votes of other tools: read from their files, and written for them."""
