"""What a node has heard of its cluster, as people are shown it, and what needs one of them."""
