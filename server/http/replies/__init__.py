"""What waits for the answers of chats."""
