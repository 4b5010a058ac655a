"""Read members of archives and folders in order, without unpacking them to disk."""
