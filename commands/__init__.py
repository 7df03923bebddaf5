"""The control commands: each parses its arguments, asks the daemon, prints the answer."""
