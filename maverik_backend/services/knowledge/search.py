"""Finding passages in collections: by words, and by vectors where an embeddings provider is configured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import structlog
from sqlalchemy import Connection

from maverik_backend.clients.embeddings.base import Embedder, Purpose, Vector
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamError
from maverik_backend.services.knowledge import document_store, passage_store, vector_store
from maverik_backend.services.knowledge.records import FoundPassage, Scope, SearchedCollection

RANKED = 50
"""How many passages each list has before they are joined."""
RANK_OFFSET = 60
"""The k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
QUESTION_TIMEOUT_S = 4.0
"""How long a search waits for the vector of its question; words alone must do after that."""

_log = structlog.get_logger(__name__)


class DocumentSearch:
    """Searches the collections of a scope. Safe to use from several threads."""

    def __init__(self, transaction: TransactionFactory, *, embedder: Embedder | None = None) -> None:
        self._transaction = transaction
        self._embedder = embedder

    def __call__(self, text: str, *, scope: Scope, limit: int, deadline: Deadline) -> list[FoundPassage]:
        """At most ``limit`` passages of the collections of ``scope`` that fit ``text``, best first.

        Raises:
            Cancelled: when ``deadline`` was cancelled while the provider was waited for.
            DatabaseUnavailable: when they cannot be read.
        """
        with self._transaction() as db:
            collections = document_store.get_searched(db, scope)
        if not collections or not text.strip():
            return []
        vector = self._vector_of(text, deadline)
        with self._transaction() as db:
            rankings = by_words(db, text, collections)
            if vector is not None and self._embedder is not None:
                rankings.append(by_vector(db, vector, collections, model=self._embedder.name))
            return passage_store.get(db, _best(fuse(rankings), limit))

    def _vector_of(self, text: str, deadline: Deadline) -> Vector | None:
        """The vector of a question; ``None`` without a provider, or when it does not answer soon."""
        if self._embedder is None:
            return None
        seconds = min(QUESTION_TIMEOUT_S, deadline.remaining_s())
        own_deadline = Deadline.after(seconds, cancellation=deadline.cancellation)
        try:
            (vector,) = self._embedder.embed([text], purpose=Purpose.QUESTION, deadline=own_deadline)
        except UpstreamError as error:
            _log.warning("question_not_embedded", kind=error.kind)
            return None
        return vector


def by_words(db: Connection, text: str, collections: Sequence[SearchedCollection]) -> list[list[int]]:
    """A ranking by words for each language of ``collections``."""
    by_language: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for collection in collections:
        by_language[collection.language][collection.id] = collection.passages
    return [
        passage_store.search(db, question=text, language=language, collections=searched, limit=RANKED)
        for language, searched in by_language.items()
    ]


def by_vector(db: Connection, vector: Vector, collections: Sequence[SearchedCollection], *, model: str) -> list[int]:
    """The ranking by distance to ``vector``."""
    shared = [collection.id for collection in collections if collection.is_shared]
    own = [collection.id for collection in collections if not collection.is_shared]
    return vector_store.nearest(db, model=model, vector=vector, shared=shared, own=own, limit=RANKED)


def fuse(rankings: Iterable[Sequence[int]]) -> dict[int, float]:
    """The reciprocal rank score of each passage: a place in a list counts 1 / (:data:`RANK_OFFSET` + place), from 1."""
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for place, passage_id in enumerate(ranking, start=1):
            scores[passage_id] += 1 / (RANK_OFFSET + place)
    return dict(scores)


def _best(scores: dict[int, float], limit: int) -> dict[int, float]:
    best = sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))[:limit]
    return {passage_id: scores[passage_id] for passage_id in best}
