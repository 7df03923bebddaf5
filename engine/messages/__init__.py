"""What comes in, and the bodies that leave."""
