"""The actors' runtime: loop actors, mailboxes, virtual actors, supervision."""
