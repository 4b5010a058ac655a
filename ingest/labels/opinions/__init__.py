"""Read second opinions from files and join them with the examples of a dataset."""
