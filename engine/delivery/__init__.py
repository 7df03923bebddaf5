"""An attempt: what it may reach, how it is signed, how it ends, when the next one is."""
