"""What readers of several databases, the partitions of a cluster, have of them."""
