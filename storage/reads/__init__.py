"""Queries: each a short read transaction that changes nothing."""
