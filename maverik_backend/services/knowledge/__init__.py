"""The embedded advisor's articles, indexed in PostgreSQL full-text search."""

from maverik_backend.services.knowledge.index import KnowledgeIndex, sync

__all__ = ["KnowledgeIndex", "sync"]
