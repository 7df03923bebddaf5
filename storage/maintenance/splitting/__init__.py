"""The database of one daemon, split into those of a cluster's partitions."""
