"""What guards a catalogue while it is written: one writer at a time, and checks before it takes its place."""
