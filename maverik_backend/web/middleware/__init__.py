"""ASGI middlewares, each one concern of every request."""
