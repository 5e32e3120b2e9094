"""SQL of passages: written in batches, found by their words.

A search looks at a bounded number of candidates, whatever is asked. Words that few passages have choose them; how
common a word is comes from PostgreSQL's statistics of the column (``pg_stats.most_common_elems``), which ``ANALYZE``
keeps and which hold the thousand most common lexemes. A passage's score is the sum over the question's words of rarity
x weight of the position, as in ``store.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from maverik_backend.core.documents.chunks import Passage
from maverik_backend.core.text import fold
from maverik_backend.services.knowledge.records import FoundPassage

CONFIGURATIONS: Mapping[str, str] = {"es": "spanish", "en": "english", "pt": "portuguese"}
"""PostgreSQL's text search configuration for each language of a collection."""
MAX_WORDS = 32
"""Of a question; the rest, the most common ones, is left out."""
MAX_CANDIDATES = 1_500
_BATCH = 200

_INSERT = text("""
    INSERT INTO documento_pasaje (documento_id, coleccion_id, orden, ruta, pagina_desde, pagina_hasta, texto, indice)
    SELECT :document, :collection, row."order", row.path, row.first_page, row.last_page, row.text,
           setweight(to_tsvector(CAST(:configuration AS regconfig), :title), 'A')
           || setweight(to_tsvector(CAST(:configuration AS regconfig), row.topics), 'B')
           || setweight(to_tsvector(CAST(:configuration AS regconfig), row.folded), 'D')
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row(
        "order" integer, path text[], first_page integer, last_page integer, text text, topics text, folded text
    )
""")

_WORDS = text("""
    SELECT word.lexeme, coalesce(common.frequency, 0) AS frequency,
           (SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = CAST('documento_pasaje' AS regclass)) AS passages
    FROM unnest(to_tsvector(CAST(:configuration AS regconfig), :folded)) AS word
    LEFT JOIN (
        SELECT element.lexeme, element.frequency
        FROM pg_stats, unnest(CAST(CAST(most_common_elems AS text) AS text[]), most_common_elem_freqs)
            AS element(lexeme, frequency)
        WHERE schemaname = current_schema() AND tablename = 'documento_pasaje' AND attname = 'indice'
    ) AS common USING (lexeme)
    ORDER BY frequency, word.lexeme
    LIMIT :limit
""")

_SEARCH = """
    WITH word AS (
        SELECT * FROM jsonb_to_recordset(CAST(:words AS jsonb)) AS one(lexeme text, query tsquery, frequency float8)
    ), candidate AS MATERIALIZED (
        SELECT p.id, p.indice FROM documento_pasaje p
        WHERE p.coleccion_id = ANY(:collections) AND p.indice @@ CAST(:narrow AS tsquery) LIMIT :candidates
    ), hit AS (
        SELECT candidate.id, word.lexeme, word.frequency,
               ts_rank('{0.25, 0.4, 0.8, 1.0}', candidate.indice, word.query) AS rank
        FROM candidate JOIN word ON candidate.indice @@ word.query
    ), rarity AS (
        SELECT lexeme, ln(1 + :total / greatest(count(*), max(frequency) * :total)) AS weight FROM hit GROUP BY lexeme
    )
    SELECT hit.id FROM hit JOIN rarity USING (lexeme)
    GROUP BY hit.id ORDER BY sum(hit.rank * rarity.weight) DESC, hit.id LIMIT :limit
"""
_GET = text("""
    SELECT p.id, p.documento_id, d.titulo, d.referencia, p.ruta, p.pagina_desde, p.pagina_hasta, p.texto
    FROM documento_pasaje p JOIN documento d ON d.id = p.documento_id WHERE p.id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of the question: its stem, and which share of all passages has it (0: so few that it is not known)."""

    lexeme: str
    frequency: float


def add(
    db: Connection,
    *,
    document_id: int,
    collection_id: int,
    language: str,
    title: str,
    passages: Sequence[Passage],
    topics: str | None = None,
) -> None:
    """Insert the passages of a document, in order. ``topics`` counts like headings, and stands in for them."""
    numbered = [_row(order, passage, topics) for order, passage in enumerate(passages, start=1)]
    common = {
        "document": document_id,
        "collection": collection_id,
        "configuration": CONFIGURATIONS[language],
        "title": fold(title),
    }
    for at in range(0, len(numbered), _BATCH):
        db.execute(_INSERT, {**common, "rows": json.dumps(numbered[at : at + _BATCH])})


def search(db: Connection, *, question: str, language: str, collections: Mapping[int, int], limit: int) -> list[int]:
    """The ids of the passages whose words fit ``question`` best; ``collections`` are ids with numbers of passages."""
    values = {"configuration": CONFIGURATIONS[language], "folded": fold(question), "limit": MAX_WORDS}
    rows = db.execute(_WORDS, values).all()
    words = [Word(lexeme=row.lexeme, frequency=float(row.frequency)) for row in rows]
    if not words:
        return []
    total = sum(collections.values())
    parameters = {
        "words": json.dumps([_as_json(word) for word in words]),
        "collections": list(collections),
        "candidates": MAX_CANDIDATES,
        "total": float(total),
        "limit": limit,
    }
    found: list[int] = []
    for narrow in _narrowings(words, passages=max(total, int(rows[0].passages))):
        if len(found) < limit:
            ids = db.scalars(text(_SEARCH), {**parameters, "narrow": narrow})
            found += [passage_id for passage_id in ids if passage_id not in found]
    return found[:limit]


def get(db: Connection, scores: Mapping[int, float]) -> list[FoundPassage]:
    """The passages of these ids, best first."""
    found = [
        FoundPassage(
            passage_id=row.id,
            document_id=row.documento_id,
            title=row.titulo,
            headings=tuple(row.ruta),
            first_page=row.pagina_desde,
            last_page=row.pagina_hasta,
            text=row.texto,
            score=scores[row.id],
            reference=row.referencia,
        )
        for row in db.execute(_GET, {"ids": list(scores)})
    ]
    return sorted(found, key=lambda passage: (-passage.score, passage.passage_id))


def _narrowings(words: Sequence[Word], *, passages: int) -> list[str]:
    """Queries for candidates, to be asked in turn until there are enough: any rare words, or common ones together.

    ``words`` are the rarest first.
    """
    rare: list[Word] = []
    expected = 0.0
    for word in words:
        expected += word.frequency * passages
        if expected > MAX_CANDIDATES and rare:
            break
        rare.append(word)
    if len(rare) > 1 or expected <= MAX_CANDIDATES:
        return [" | ".join(map(_quoted, rare))]
    together, share = [words[0]], words[0].frequency
    for word in words[1:]:
        if share * passages <= MAX_CANDIDATES:
            break
        together.append(word)
        share *= word.frequency
    return [" & ".join(map(_quoted, together)), _quoted(words[0])] if len(together) > 1 else [_quoted(words[0])]


def _quoted(word: Word) -> str:
    """The word as a query (PostgreSQL manual, 8.11.2)."""
    return "'" + word.lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _as_json(word: Word) -> dict[str, Any]:
    return {"lexeme": word.lexeme, "query": _quoted(word), "frequency": word.frequency}


def _row(order: int, passage: Passage, topics: str | None) -> dict[str, Any]:
    return {
        "order": order,
        "path": passage.headings,
        "first_page": passage.first_page,
        "last_page": passage.last_page,
        "text": passage.text,
        "topics": fold(topics if topics is not None else "\n".join(passage.headings)),
        "folded": fold(passage.text),
    }
