"""The command line, one file a command, and what each prints."""
