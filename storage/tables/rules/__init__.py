"""Windows by rule: which of its webhook's rules a window has, and when it ends by it."""
