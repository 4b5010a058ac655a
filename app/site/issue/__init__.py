"""The page of one issue: media, votes, verdict, typical examples."""
