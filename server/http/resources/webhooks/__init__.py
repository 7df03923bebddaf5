"""The API of webhooks: settings, switching, signing secrets, test requests."""
