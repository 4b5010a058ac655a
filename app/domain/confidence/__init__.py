"""How far a correction can be trusted: from the votes alone, and, apart from that, from second opinions."""
