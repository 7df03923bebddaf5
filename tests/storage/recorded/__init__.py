"""Parts of the recorded life."""
