"""Sounds: decoding, snippets, waveforms and spectrograms, and telling when one is cut off."""
