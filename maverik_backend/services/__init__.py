"""The use cases. They know no HTTP, never commit, and are handed the clients that they talk to."""
