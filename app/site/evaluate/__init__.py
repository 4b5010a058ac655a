"""Evaluate a visitor's own predictions against corrected labels."""
