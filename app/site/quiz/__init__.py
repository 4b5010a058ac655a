"""A quiz in which visitors try to beat the labels of a test set."""
