"""Read one dataset from its files and prepare it for the catalogue."""
