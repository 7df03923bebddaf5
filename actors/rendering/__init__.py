"""Bodies of formats, rendered in a child process with limits, so that a hostile one hurts nobody."""
