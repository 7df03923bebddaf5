"""The event feed: subscriptions, its socket, server-sent events."""
