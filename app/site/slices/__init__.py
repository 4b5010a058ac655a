"""Errors and accuracies by slice of a dataset, such as its subjects."""
