"""The windows of a webhook: what may be written, what it means, and when an open one ends."""
