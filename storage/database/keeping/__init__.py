"""What one commit leaves to the next."""
