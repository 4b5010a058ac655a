"""Second opinions in the catalogue: added, carried over, and all that follows from them."""
