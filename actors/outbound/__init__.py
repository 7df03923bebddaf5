"""The client for webhook requests: the only code that sends HTTP to receivers."""
