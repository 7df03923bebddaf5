"""Unix sockets, as files that others may remove."""
