"""Downloading media politely, and never from an address inside a private network."""
