"""Which webhook gets which message: what it wants, and what it has room for."""
