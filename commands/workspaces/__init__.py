"""Commands about workspaces and their webhooks."""
