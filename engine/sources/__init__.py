"""What WhatsApp systems post of their own accord, made into messages, edits and deletions."""
