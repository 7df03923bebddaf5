"""The data file below LMDB: its pages, its copy, and the address space of its map."""
