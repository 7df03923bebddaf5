"""`hookbundle source ...`: the systems that post their events to a workspace."""
