"""Votes, the verdicts they lead to, and the corrected labels that follow (section 4 of the paper)."""
