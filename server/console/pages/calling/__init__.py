"""How a webhook is called, on a page of its own: method, headers, credentials."""
