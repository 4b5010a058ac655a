"""The pages and the API, one folder per feature."""
