"""Finding passages in collections: by words, and by vectors where an embeddings provider is configured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.services.knowledge import document_store, passage_store
from maverik_backend.services.knowledge.records import FoundPassage, Scope, SearchedCollection

RANKED = 50
"""How many passages each list has before they are joined."""
RANK_OFFSET = 60
"""The k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""


class DocumentSearch:
    """Searches the collections of a scope. Safe to use from several threads."""

    def __init__(self, transaction: TransactionFactory) -> None:
        self._transaction = transaction

    def __call__(self, text: str, *, scope: Scope, limit: int, deadline: Deadline) -> list[FoundPassage]:
        """At most ``limit`` passages of the collections of ``scope`` that fit ``text``, best first.

        Raises:
            DatabaseUnavailable: when they cannot be read.
        """
        del deadline
        with self._transaction() as db:
            collections = document_store.get_searched(db, scope)
            return passage_store.get(db, _best(fuse(self._by_words(db, text, collections)), limit))

    @staticmethod
    def _by_words(db: Connection, text: str, collections: Sequence[SearchedCollection]) -> list[list[int]]:
        by_language: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for collection in collections:
            by_language[collection.language][collection.id] = collection.passages
        return [
            passage_store.search(db, question=text, language=language, collections=searched, limit=RANKED)
            for language, searched in by_language.items()
        ]


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
