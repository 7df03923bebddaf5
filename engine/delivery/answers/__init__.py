"""A receiver's answer as JSON: rules for it, and which settings it asks for."""
