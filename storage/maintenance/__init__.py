"""Backup, restore, compaction and check of a database."""
