"""Bodies of a format: what makes one, and what is kept of it."""
