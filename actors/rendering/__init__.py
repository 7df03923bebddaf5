"""Bodies of formats, rendered in a process of its own, so that a hostile one hurts nobody."""
