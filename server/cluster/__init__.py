"""A node of a cluster: several partitions in one process, and the way to those of other nodes."""
