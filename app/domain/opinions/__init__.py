"""Second opinions: what independent relabellings of a test set say of its labels and of their corrections."""
