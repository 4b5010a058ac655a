"""The one contract between ingest and the site: tables, packing, and how a catalogue's file is opened."""
