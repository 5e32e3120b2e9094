"""The index's SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy import text as sql

from maverik_backend.advisor.articles import Article
from maverik_backend.clients.rag.base import Passage
from maverik_backend.core.text import fold
from maverik_backend.models import Pasaje

_INSERT = sql("""
    INSERT INTO pasaje (articulo, titulo, orden, texto, version, indice)
    VALUES (:article, :title, :order, :passage, :version,
            setweight(to_tsvector('spanish', :folded_title), 'A')
            || setweight(to_tsvector('spanish', :folded_topics), 'B')
            || setweight(to_tsvector('spanish', :folded_passage), 'D'))
""")

# A passage's score is the sum over the question's words of rarity x weight of the position: a word that few articles
# use counts more, and so does one in the title or the topics. A passage counts only when its article's title or topics
# (weights A and B) hold one of the words; that is what makes a question financial.
_SEARCH = sql("""
    WITH question AS (
        SELECT replace(plainto_tsquery('spanish', :folded)::text, '&', '|')::tsquery AS query
    ), hit AS (
        SELECT p.id, p.articulo, word.lexeme,
               CASE WHEN 'A' = ANY (word.weights) THEN 1.0 WHEN 'B' = ANY (word.weights) THEN 0.8 ELSE 0.25 END
                   AS position_weight,
               count(*) FILTER (WHERE word.weights && ARRAY['A', 'B']) OVER (PARTITION BY p.id) AS on_topic
        FROM question, pasaje AS p, unnest(p.indice) AS word
        WHERE p.indice @@ question.query
          AND word.lexeme = ANY (tsvector_to_array(to_tsvector('spanish', :folded)))
    ), rarity AS (
        SELECT lexeme, ln(1.0 + (SELECT count(DISTINCT articulo) FROM pasaje) / count(DISTINCT articulo)) AS weight
        FROM hit GROUP BY lexeme
    )
    SELECT p.articulo AS article, p.titulo AS title, p.orden AS "order", p.texto AS text,
           sum(hit.position_weight * rarity.weight) AS score
    FROM hit JOIN rarity USING (lexeme) JOIN pasaje AS p ON p.id = hit.id
    WHERE hit.on_topic > 0
    GROUP BY p.id
    ORDER BY score DESC, p.articulo, p.orden
    LIMIT :limit
""")


def lock(db: Connection) -> None:
    """Wait until no other transaction replaces the passages."""
    db.execute(select(func.pg_advisory_xact_lock(func.hashtext(Pasaje.__tablename__))))


def get_version(db: Connection) -> str | None:
    """The version of the articles that are indexed; ``None`` when none are."""
    return db.scalar(select(Pasaje.version).limit(1))


def replace_passages(db: Connection, *, articles: Sequence[Article], version: str) -> None:
    """Make the table hold the passages of ``articles`` and no others."""
    db.execute(delete(Pasaje))
    db.execute(_INSERT, [row for article in articles for row in _rows(article, version)])


def search(db: Connection, *, text: str, limit: int) -> list[Passage]:
    """The passages that match ``text``, best first; none when no article's title or topics hold a word of it."""
    rows = db.execute(_SEARCH, {"folded": fold(text), "limit": limit}).mappings().all()
    return [Passage(**{**row, "score": float(row["score"])}) for row in rows]


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
