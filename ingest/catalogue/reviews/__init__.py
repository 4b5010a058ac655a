"""Rounds of reviews: choose what to ask from a catalogue, and bring the votes back into it."""
