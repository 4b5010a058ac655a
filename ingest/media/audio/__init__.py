"""Audio: decoding, snippets, waveforms, spectrograms, and detection of truncated files."""
