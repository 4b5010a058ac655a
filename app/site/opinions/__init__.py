"""Second opinions on a dataset's corrections: their page and their API."""
