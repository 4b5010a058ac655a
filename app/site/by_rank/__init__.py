"""How the share of confirmed errors falls with the rank, and how many examples are worth a look."""
