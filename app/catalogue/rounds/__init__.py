"""What open rounds of reviews withhold from those who read the catalogue."""
