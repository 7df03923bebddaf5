"""What operators have a cluster do, and what nodes ask each other for it."""
