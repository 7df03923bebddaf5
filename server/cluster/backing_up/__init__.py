"""A backup of all partitions of a cluster, made by one node."""
