"""The embedded advisor's index: kept in step with the shipped articles, and searched."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from maverik_backend.advisor.articles import Article, read_articles, version_of
from maverik_backend.clients.rag.base import Passage
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.text import fold
from maverik_backend.models import Pasaje

_INSERT = sql("""
    INSERT INTO pasaje (articulo, titulo, orden, texto, version, indice)
    VALUES (:article, :title, :order, :passage, :version,
            setweight(to_tsvector('spanish', :folded_title), 'A')
            || setweight(to_tsvector('spanish', :folded_topics), 'B')
            || setweight(to_tsvector('spanish', :folded_passage), 'D'))
""")

# A passage's score is the sum over the question's words of rarity x place: a word that few articles use says more, and
# so does one in the title or the topics. A passage counts only when its article's title or topics (weights A and B)
# hold one of the words; that is what makes a question financial.
_SEARCH = sql("""
    WITH question AS (
        SELECT replace(plainto_tsquery('spanish', :folded)::text, '&', '|')::tsquery AS query
    ), hit AS (
        SELECT p.id, p.articulo, word.lexeme,
               CASE WHEN 'A' = ANY (word.weights) THEN 1.0 WHEN 'B' = ANY (word.weights) THEN 0.8 ELSE 0.25 END
                   AS place,
               count(*) FILTER (WHERE word.weights && ARRAY['A', 'B']) OVER (PARTITION BY p.id) AS on_topic
        FROM question, pasaje AS p, unnest(p.indice) AS word
        WHERE p.indice @@ question.query
          AND word.lexeme = ANY (tsvector_to_array(to_tsvector('spanish', :folded)))
    ), rarity AS (
        SELECT lexeme, ln(1.0 + (SELECT count(DISTINCT articulo) FROM pasaje) / count(DISTINCT articulo)) AS weight
        FROM hit GROUP BY lexeme
    )
    SELECT p.articulo AS article, p.titulo AS title, p.orden AS "order", p.texto AS text,
           sum(hit.place * rarity.weight) AS score
    FROM hit JOIN rarity USING (lexeme) JOIN pasaje AS p ON p.id = hit.id
    WHERE hit.on_topic > 0
    GROUP BY p.id
    ORDER BY score DESC, p.articulo, p.orden
    LIMIT :limit
""")


def sync(session: Session, *, articles: Sequence[Article]) -> bool:
    """Make the index hold exactly ``articles``; returns whether there was anything to do.

    Several processes may start at once: the first does it, the others wait for it and find it done.
    """
    version = version_of(articles)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(Pasaje.__tablename__))))
    if session.scalar(select(Pasaje.version).limit(1)) == version:
        return False
    session.execute(delete(Pasaje))
    session.execute(_INSERT, [row for article in articles for row in _rows(article, version)])
    return True


def _rows(article: Article, version: str) -> Iterator[dict[str, Any]]:
    for order, passage in enumerate(article.passages, start=1):
        yield {
            "article": article.slug,
            "title": article.title,
            "order": order,
            "passage": passage,
            "version": version,
            "folded_title": fold(article.title),
            "folded_topics": fold(article.topics),
            "folded_passage": fold(passage),
        }


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
                with self._transaction() as session:
                    sync(session, articles=read_articles())
                self._is_ready = True

    def __call__(self, text: str, *, limit: int) -> list[Passage]:
        """The passages that fit ``text`` best; none when it is not about any article's topic.

        Raises:
            DatabaseUnavailable: when the index cannot be read.
        """
        if not self._is_ready:
            self.prepare()
        with self._transaction() as session:
            rows = session.execute(_SEARCH, {"folded": fold(text), "limit": limit}).mappings().all()
        return [Passage(**{**row, "score": float(row["score"])}) for row in rows]
