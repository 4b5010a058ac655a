"""The catalogue being served: the current file, its datasets in memory, and who may see what."""
