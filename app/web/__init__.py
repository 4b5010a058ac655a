"""HTTP code that knows nothing of labels: middleware, caching, compression, ranges, limits, templates."""
