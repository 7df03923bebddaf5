"""How a webhook calls its receiver, as the API shows it and takes it."""
