"""Between HTTP and the use cases: dependencies, errors, middleware."""
