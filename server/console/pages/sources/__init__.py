"""The pages of a workspace's sources."""
