"""Reading matrices of predicted probabilities, block by block, and one look at every row."""
