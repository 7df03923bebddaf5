"""The daemon's actors, one file each, and the client that sends webhook requests."""
