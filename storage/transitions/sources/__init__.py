"""What is done with sources: made, changed, deleted; what they teach, and how they fare."""
