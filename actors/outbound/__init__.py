"""The way out: the only HTTP client."""
