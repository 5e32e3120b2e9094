"""The embedded advisor's index: kept in step with the shipped articles, and searched."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from maverik_backend.advisor.articles import Article, read_articles, version_of
from maverik_backend.clients.rag.base import Passage
from maverik_backend.core.database import TransactionFactory
from maverik_backend.services.knowledge import store
from maverik_backend.services.knowledge.shipped import sync_collection


def sync(db: Connection, *, articles: Sequence[Article]) -> bool:
    """Make the index, and the collection, hold exactly ``articles``; returns whether anything had to change.

    When several processes start at once, one writes; the others wait for its transaction and find the version there.
    """
    version = version_of(articles)
    store.lock(db)
    has_changed = sync_collection(db, articles=articles)
    if store.get_version(db) == version:
        return has_changed
    store.replace_passages(db, articles=articles, version=version)
    return True


class KnowledgeIndex:
    """The shipped articles, searchable: a :class:`~maverik_backend.clients.rag.base.PassageSearch`."""

    def __init__(self, transaction: TransactionFactory) -> None:
        self._transaction = transaction
        self._lock = threading.Lock()
        self._is_ready = False

    def prepare(self) -> None:
        """Bring the index in step with the articles, once a process; servers do it before the first question.

        Raises:
            DatabaseUnavailable: when it cannot be done now.
        """
        with self._lock:
            if not self._is_ready:
                with self._transaction() as db:
                    sync(db, articles=read_articles())
                self._is_ready = True

    def __call__(self, text: str, *, limit: int) -> list[Passage]:
        """The passages that match ``text`` best; none when it is not about any article's topic.

        Raises:
            DatabaseUnavailable: when the index cannot be read.
        """
        if not self._is_ready:
            self.prepare()
        with self._transaction() as db:
            return store.search(db, text=text, limit=limit)
