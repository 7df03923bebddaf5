"""Counters and distributions."""
