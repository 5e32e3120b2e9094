"""Embeddings: texts as vectors, by a provider that is configured."""
