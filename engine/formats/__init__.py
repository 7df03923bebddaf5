"""Formats: what a webhook sends in the place of the seed's body. Pure; jobs.py has the types."""
