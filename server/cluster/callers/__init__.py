"""Who calls, as a node finds it out that has no copy of what says so."""
