"""The store of votes: rounds, raters and their answers in a database of its own, the only thing a server writes."""
