"""The command line: one module per command, and what each command prints."""
