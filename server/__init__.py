"""What others call: listeners, API, event feed, console, metrics; and the daemon as a whole."""
