"""Dead letters: of which kinds they are."""
