"""The contract: the OpenAPI document of all paths, its texts, and the page that shows it."""
