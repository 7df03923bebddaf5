"""Deliveries of a chat that become one, and the ids of those that changed places by it."""
