"""Edits and deletions of messages, as transitions."""
