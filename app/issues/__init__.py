"""What a visitor asks for: filter, condition, counts and rows of issues."""
