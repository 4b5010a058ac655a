"""One dataset, read from its files and put together for the catalogue."""
