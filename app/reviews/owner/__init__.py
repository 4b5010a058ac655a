"""What the owner of a round sees of it and decides: how far it is, who agrees with whom, who is left out."""
