"""What a dataset is, as its manifest says."""
