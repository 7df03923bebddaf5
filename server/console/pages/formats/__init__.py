"""What a webhook sends, chosen on a page of its own, and seen before it is saved."""
