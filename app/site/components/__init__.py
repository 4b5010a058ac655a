"""Parts that several features' pages share: cards, captions, charts, table headers."""
