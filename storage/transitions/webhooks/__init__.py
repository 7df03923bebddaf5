"""Changes of a webhook: made, its settings, its signing secrets, deleted, and test requests."""
