"""Edits and deletions: in open windows, before their messages, and after them."""
