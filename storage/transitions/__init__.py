"""Every change of the database, one file a family."""
