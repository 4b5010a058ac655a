"""Download media from the web with limits, and never from an address inside a private network."""
