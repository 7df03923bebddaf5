"""The event feed over the partitions of a cluster."""
