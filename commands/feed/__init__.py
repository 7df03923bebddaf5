"""`hookbundle tail`: the event feed on a terminal or in a pipe."""
