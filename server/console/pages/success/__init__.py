"""What counts as delivered, in the form of a webhook; a test request, and what it proposes."""
