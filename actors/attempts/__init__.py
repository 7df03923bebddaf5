"""What an attempt sends, and what is kept of it."""
