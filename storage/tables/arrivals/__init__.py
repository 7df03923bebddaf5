"""When messages arrived: kept for ten days, without text, so that windows can be simulated."""
