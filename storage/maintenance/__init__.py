"""Backup, restore, compaction and check."""
