"""Transitions about bodies of a format."""
