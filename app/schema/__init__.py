"""The format of a catalogue, shared by ingest and the site: tables, packing, and how its file is opened."""
