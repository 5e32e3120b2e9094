"""The articles that ship with the product as the first collection: shared, and read-only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection

from maverik_backend.advisor.articles import Article, version_of
from maverik_backend.core.documents.chunks import Passage
from maverik_backend.core.documents.sniffing import MediaType
from maverik_backend.models import DocumentState
from maverik_backend.services.knowledge import document_store, passage_store
from maverik_backend.services.knowledge.records import SHARED
from maverik_backend.texts import documents as texts

SLUG = "articulos"
LANGUAGE = "es"


def sync_collection(db: Connection, *, articles: Sequence[Article]) -> bool:
    """Make the collection hold exactly ``articles``; whether anything had to change. Called with the index locked."""
    version = version_of(articles)
    if document_store.get_version(db, slug=SLUG) == version:
        return False
    collection_id = document_store.add_collection(
        db, owner=SHARED, slug=SLUG, name=texts.SHIPPED_COLLECTION, language=LANGUAGE, version=version
    )
    document_store.set_version(db, collection_id=collection_id, version=version)
    document_store.empty_collection(db, collection_id=collection_id)
    for article in articles:
        _add(db, collection_id, article)
    return True


def _add(db: Connection, collection_id: int, article: Article) -> None:
    content = "\n\n".join(article.passages).encode()
    document_id = document_store.add_document(
        db,
        coleccion_id=collection_id,
        titulo=article.title,
        tipo=MediaType.MARKDOWN.value,
        tamano=len(content),
        resumen=hashlib.sha256(repr(article).encode()).digest(),
        referencia=article.slug,
        estado=DocumentState.READY.value,
        pasajes=len(article.passages),
    )
    passage_store.add(
        db,
        document_id=document_id,
        collection_id=collection_id,
        language=LANGUAGE,
        title=article.title,
        passages=[Passage(text=passage) for passage in article.passages],
        topics=article.topics,
    )
