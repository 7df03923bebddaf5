"""The results of a commit, on their way to those who wait for them."""
