"""What versions a dataset had, and what changed in its corrected test set: page, API, feed, over the log of ingest."""
