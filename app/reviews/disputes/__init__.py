"""Disputes: what visitors say looks wrong, what the owner decides, and what reviewers make of it."""
