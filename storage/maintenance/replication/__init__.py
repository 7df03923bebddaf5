"""Copies of a partition: written anew, and made from the database of a daemon alone."""
