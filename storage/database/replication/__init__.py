"""Where a database and the log of a cluster meet: its position, rows of others, a copy begun."""
