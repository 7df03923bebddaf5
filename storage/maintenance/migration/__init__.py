"""The upgrade of a database of schema 1 (version 0.1.0) to schema 2."""
