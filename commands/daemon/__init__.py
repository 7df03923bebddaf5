"""`hookbundle run`: the daemon's configuration, logging, signals and service manager."""
