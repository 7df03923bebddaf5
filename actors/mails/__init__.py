"""What e-mails to owners say."""
