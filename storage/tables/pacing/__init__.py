"""Rate and budget: what the requests of a webhook count, and from when on the next one may go."""
