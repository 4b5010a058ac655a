"""The manifest of a dataset: its model, its parser and its error messages."""
