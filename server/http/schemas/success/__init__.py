"""What counts as delivered, as the API shows it."""
