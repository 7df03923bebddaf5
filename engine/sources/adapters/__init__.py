"""One module for each kind of source: what its requests say, as messages and changes."""
