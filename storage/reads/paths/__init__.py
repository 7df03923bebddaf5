"""What became of messages: of one, and of those of a chat."""
