"""Windows as the API shows them: what they make of messages, and what they would make."""
