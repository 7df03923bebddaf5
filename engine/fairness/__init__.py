"""Shares: what all use, nobody takes from the others."""
