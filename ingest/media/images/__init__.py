"""Pictures and their thumbnails."""
