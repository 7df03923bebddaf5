"""Pages that check something and change nothing: a signature, the mail server."""
