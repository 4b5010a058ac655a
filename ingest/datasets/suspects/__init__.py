"""The issues of a dataset: which they are, in which orders, and what the model finds most probable of them."""
