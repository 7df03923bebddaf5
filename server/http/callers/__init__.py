"""The tokens of callers: whether they are still good, and when they were last used."""
