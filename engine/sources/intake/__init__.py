"""What is done with a request of a source before and after its adapter; pure, as that is."""
