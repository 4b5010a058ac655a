"""Parts that several pages share: cards, captions, charts, table headers."""
