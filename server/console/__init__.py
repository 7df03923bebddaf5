"""The web console: what a workspace's owner and the operator see and do in a browser."""
