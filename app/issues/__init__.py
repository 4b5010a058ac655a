"""Find and count issues: filters, SQL conditions, counts and rows."""
