"""The settings, and where things are on this machine."""
