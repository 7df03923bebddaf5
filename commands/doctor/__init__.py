"""`hookbundle doctor`: looks at what can be wrong, and says how to mend it."""
