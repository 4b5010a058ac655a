"""Votes, the verdicts they come to, and the corrected labels that follow (section 4 of the paper)."""
