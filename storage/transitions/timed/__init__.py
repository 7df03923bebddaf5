"""Transitions that the timer asks for, in steps that leave room for intake."""
