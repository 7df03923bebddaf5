"""`hookbundle demo`: the command, its movable clock, the sample conversation, the receivers."""
