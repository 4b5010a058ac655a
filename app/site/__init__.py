"""The pages and the API, one folder a feature."""
