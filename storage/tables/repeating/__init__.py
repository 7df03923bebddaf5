"""Deliveries sent once more: one by one (resends), or many by a filter (replays)."""
