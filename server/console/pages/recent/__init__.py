"""What a workspace did lately, and news of it as they come."""
