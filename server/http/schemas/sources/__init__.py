"""Sources, as the API shows them."""
