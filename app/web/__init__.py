"""HTTP plumbing that knows no label: middleware, caching, compression, ranges, limits, templates."""
