"""The console of a node: pages of the cluster here, those of a workspace at its owner."""
