"""Write a catalogue: rows, indexes, checks, and the rename that publishes it."""
