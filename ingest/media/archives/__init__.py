"""Members of archives and folders, read in order and never unpacked to disk."""
