"""HTTP: listeners, middleware, authentication, reading requests and writing responses."""
