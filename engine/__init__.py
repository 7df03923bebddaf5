"""What is true without any I/O, and the runtime the actors live in."""
