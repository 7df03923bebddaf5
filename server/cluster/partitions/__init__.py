"""What a node has of each partition: its copy, and what works on it while it is owned."""
