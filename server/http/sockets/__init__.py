"""What is below HTTP: Unix sockets as files that others may remove, and how bodies are framed."""
