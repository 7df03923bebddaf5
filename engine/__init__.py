"""Rules that need no I/O, and the runtime of the actors."""
