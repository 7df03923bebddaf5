"""LMDB: keys, records, transitions and reads."""
