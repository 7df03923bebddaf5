"""The page on which a webhook's filter is built from chips."""
