"""The rules of an attempt: allowed addresses, signature, outcome, and wait until the next."""
