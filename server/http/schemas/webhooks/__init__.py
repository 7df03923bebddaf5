"""A webhook as the API shows it, and takes its settings."""
