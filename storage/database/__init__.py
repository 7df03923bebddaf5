"""The LMDB environment, the files beside it, and the keys and records stored in it."""
