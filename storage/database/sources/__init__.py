"""What is stored of sources: the systems that post their own events here."""
