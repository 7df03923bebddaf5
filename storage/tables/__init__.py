"""Records that several transitions write: windows, queues, readiness and the detailed log."""
