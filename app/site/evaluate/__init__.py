"""Comparing a visitor's own predictions with corrected labels."""
