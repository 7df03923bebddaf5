"""Filters of lists, and ids that complete."""
