"""`hookbundle run`: configuration of the daemon, logging, signals."""
