"""Bodies of formats, rendered in processes of their own, so that a hostile one hurts nobody."""
