"""How models compare: accuracies, where two trade places, rank correlations, intervals (section 5 of the paper)."""
