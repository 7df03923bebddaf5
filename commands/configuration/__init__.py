"""The settings, and the default paths of the machine."""
