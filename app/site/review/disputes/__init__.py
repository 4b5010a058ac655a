"""The form on which visitors dispute a verdict, and the public log of what became of it."""
