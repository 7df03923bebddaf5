"""What a webhook says of its requests: method, headers, credentials."""
