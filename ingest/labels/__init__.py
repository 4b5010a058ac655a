"""Reading labels, class names and votes."""
