"""Queries: short read transactions."""
