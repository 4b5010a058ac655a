"""All formulas of the project: they use numpy and the standard library, and return plain values."""
