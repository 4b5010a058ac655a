"""The catalogue being served: which file it is now, its datasets in memory, and who may see what of it."""
