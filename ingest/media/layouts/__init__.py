"""The layouts of distributions: where each keeps its examples."""
