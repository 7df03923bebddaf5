"""The LMDB environment and everything that gives its bytes a meaning."""
