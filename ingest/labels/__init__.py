"""Read labels, class names and votes."""
