"""A dataset's issues, classes and confusions, as pages and as JSON."""
