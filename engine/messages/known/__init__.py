"""What clients send again and again, known by its bytes."""
