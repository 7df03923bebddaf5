"""What Prometheus is told of a node: of its cluster, and of partitions that come and go."""
