"""Taking a corrected test set: page, downloads, look-ups, metadata and changes between versions."""
