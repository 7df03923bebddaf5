"""Sources: what their owner does with them, and the address to which they post."""
