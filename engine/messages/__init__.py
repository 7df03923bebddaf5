"""Message events as the API gets them, and the bodies of webhook requests."""
