"""What a check looks for in what sources have."""
