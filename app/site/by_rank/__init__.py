"""How the share of errors falls with the rank, and how many examples are worth a look."""
