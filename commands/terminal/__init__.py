"""Asking the daemon and showing what it answers."""
