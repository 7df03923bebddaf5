"""The newest messages that a workspace still has: to judge them by a filter that is to come."""
