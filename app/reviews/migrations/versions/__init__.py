"""The migrations of the vote store, each a step from one revision to the next."""
