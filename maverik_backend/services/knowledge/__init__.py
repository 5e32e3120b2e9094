"""What answers rest on: the shipped articles, and documents in collections.

The embedded advisor finds articles through :class:`KnowledgeIndex`; assistants find passages of any collection through
:class:`DocumentSearch`. See docs/decisions/0013-documents-and-retrieval.md.
"""

from maverik_backend.services.knowledge.documents import (
    OWN_SLUG,
    add_document,
    get_collections,
    get_document,
    get_documents,
    get_owned,
    remove_document,
    remove_owned,
    sniff,
)
from maverik_backend.services.knowledge.embedding import (
    EmbeddingJob,
    EmbeddingPayload,
    request_missing_vectors,
    request_vectors,
)
from maverik_backend.services.knowledge.index import KnowledgeIndex, sync
from maverik_backend.services.knowledge.ingestion import IngestionJob, IngestionPayload
from maverik_backend.services.knowledge.records import (
    SHARED,
    Collection,
    Document,
    FoundPassage,
    Owner,
    Scope,
    Upload,
)
from maverik_backend.services.knowledge.search import DocumentSearch

__all__ = [
    "OWN_SLUG",
    "SHARED",
    "Collection",
    "Document",
    "DocumentSearch",
    "EmbeddingJob",
    "EmbeddingPayload",
    "FoundPassage",
    "IngestionJob",
    "IngestionPayload",
    "KnowledgeIndex",
    "Owner",
    "Scope",
    "Upload",
    "add_document",
    "get_collections",
    "get_document",
    "get_documents",
    "get_owned",
    "remove_document",
    "remove_owned",
    "request_missing_vectors",
    "request_vectors",
    "sniff",
    "sync",
]
