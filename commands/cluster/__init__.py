"""Commands on a cluster, and its settings."""
