"""Answers that are too long for one message between nodes: asked for part by part."""
