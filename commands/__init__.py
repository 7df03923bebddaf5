"""The control commands: each reads its arguments, asks the daemon, and shows the answer."""
