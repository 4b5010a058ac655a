"""How each distribution lays out its examples."""
