"""One file an actor, and the doors of the house."""
