"""Records that several transitions write: windows, queues, what wakes a webhook."""
