"""Deliveries found by what people know of them, newest first, a page at a time."""
