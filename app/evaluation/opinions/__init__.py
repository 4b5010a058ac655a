"""Second opinions of a catalogue: read, reported, and the controls that go with them."""
