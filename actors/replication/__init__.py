"""A copy of a partition: following its log, claiming it, appending to it. In a cluster only."""
