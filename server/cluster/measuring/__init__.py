"""What Prometheus is told of a node: counters of partitions that come and go, and of the cluster."""
