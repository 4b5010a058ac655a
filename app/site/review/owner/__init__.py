"""The page of a round's owner: figures as they form, and who is left out."""
