"""Read and check matrices of predicted probabilities, block by block."""
