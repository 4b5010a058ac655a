"""Model comparison: accuracies, crossings, rank correlations and intervals (section 5 of the paper)."""
