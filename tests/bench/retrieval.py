"""Documents: how well and how fast passages are found, and how fast a PDF is read, in how much memory.

================  =====================================================================================================
Quality           110 questions over the shipped articles (tests/support/fixtures/retrieval_questions.json). Vectors are
                  those of tests/support/embeddings.py, which count words: they show that the path works, and nothing
                  about the quality of a real model
Speed             the same questions over 100,000 passages of one shared collection, each of sentences of the articles
                  and of rare words, and a vector of 128 numbers; both lists and their joining, without the provider
Reading           a PDF of 300 pages of 2,400 characters, from its bytes to passages
================  =====================================================================================================
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from sqlalchemy import text

from maverik_backend.advisor.articles import read_articles
from maverik_backend.core.database import Database
from maverik_backend.core.documents.chunks import Passage
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.security import Keyring, generate_paserk
from maverik_backend.services import knowledge
from maverik_backend.services.jobs import JobRunner
from maverik_backend.services.knowledge import (
    SHARED,
    DocumentSearch,
    EmbeddingJob,
    Scope,
    document_store,
    passage_store,
    vector_store,
)
from maverik_backend.services.knowledge.search import by_vector
from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage
from tests.support.embeddings import WordEmbedder, vector_of
from tests.support.knowledge import find
from tests.support.paths import ROOT
from tests.support.processes import clean_environment
from tests.support.retrieval import QUESTIONS, Quality, measure

PASSAGES = 100_000
PASSAGES_A_DOCUMENT = 1_000
PAGES = 300
SLUG = "masa"
ROUNDS = 3
QUALITY_DIMENSIONS = 512


def retrieval(stage: Stage) -> Result:
    embedder = WordEmbedder()
    with stage.database() as database:
        quality = _quality(database, WordEmbedder(QUALITY_DIMENSIONS))
        count = stage.rounds(PASSAGES)
        stage.change(*_fill(database, count))
        stage.tidy()
        took_ms = _search_ms(DocumentSearch(database.transaction, embedder=embedder), rounds=stage.rounds(ROUNDS))
    reading = _reading()
    p95 = statistics.quantiles(took_ms, n=20)[-1]
    return Result(
        figures=[
            *(Figure(title=f"recall@5, {name}", value=one.recall) for name, one in quality.items() if name != "both"),
            Figure(title="recall@5, both", value=quality["both"].recall, at_least=0.95),
            *(Figure(title=f"MRR, {name}", value=one.mrr) for name, one in quality.items()),
            Figure(title=f"a search over {count:,} passages, p95", value=p95, unit="ms", at_most=60),
            Figure(title=f"reading a PDF of {PAGES} pages, pages/s", value=reading["pages_per_s"]),
            Figure(title="... memory of its process", value=reading["memory_mib"], unit="MiB", at_most=250),
        ],
        details={
            "search_ms": {"p50": statistics.median(took_ms), "p95": p95, "max": max(took_ms), "count": len(took_ms)},
            "missed": {name: one.missed for name, one in quality.items()},
            "reading": reading,
        },
    )


def _quality(database: Database, embedder: WordEmbedder) -> dict[str, Quality]:
    with database.transaction() as db:
        knowledge.sync(db, articles=read_articles())
    keyring = Keyring([generate_paserk()])
    job = EmbeddingJob(transaction=database.transaction, embedder=embedder, keyring=keyring)
    with database.transaction() as db:
        knowledge.request_vectors(db, model=embedder.name, keyring=keyring)
    JobRunner(transaction=database.transaction, kinds=[job], keyring=keyring, metrics=Metrics()).run_due()
    words = DocumentSearch(database.transaction)
    both = DocumentSearch(database.transaction, embedder=embedder)
    return {
        "words": measure(lambda question: _articles(words, question)),
        "vectors": measure(lambda question: _nearest_articles(database, question, embedder)),
        "both": measure(lambda question: _articles(both, question)),
    }


def _articles(search: DocumentSearch, question: str) -> list[str | None]:
    return [found.reference for found in find(search, question, Scope(), limit=20)]


def _nearest_articles(database: Database, question: str, embedder: WordEmbedder) -> list[str | None]:
    with database.transaction() as db:
        collections = document_store.get_searched(db, Scope())
        ids = by_vector(db, vector_of(question, QUALITY_DIMENSIONS), collections, model=embedder.name)
        places = {passage_id: 1 / place for place, passage_id in enumerate(ids, start=1)}
        return [found.reference for found in passage_store.get(db, places)]


def _fill(database: Database, count: int) -> list[str]:
    """Passages with vectors, without an index, as inserting into it takes minutes; the statements that make it."""
    chance = random.Random(7)  # noqa: S311 - the same passages every time
    sentences = [one for article in read_articles() for passage in article.passages for one in passage.split(". ")]
    with database.transaction() as db:
        collection = document_store.add_collection(db, owner=SHARED, slug=SLUG, name=SLUG, language="es", version=None)
    for number in range(count // PASSAGES_A_DOCUMENT):
        _add_document(database, collection, number, [_passage(chance, sentences) for _ in range(PASSAGES_A_DOCUMENT)])
        if number == 0:  # the first vector of a model makes its index
            definitions = _drop_indexes(database)
    return ["SET maintenance_work_mem = '512MB'", *definitions]


def _drop_indexes(database: Database) -> list[str]:
    """Drop the indexes of vectors; the statements that make them again."""
    with database.transaction() as db:
        found = db.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE '%_hnsw_%'")).all()
        for index in found:
            db.execute(text(f"DROP INDEX {index.indexname}"))
    return [index.indexdef for index in found]


def _passage(chance: random.Random, sentences: Sequence[str]) -> Passage:
    rare = " ".join(f"termino{int(chance.paretovariate(0.5)) % 200_000}" for _ in range(8))
    return Passage(text=f"{'. '.join(chance.choices(sentences, k=5))}. {rare}")


def _add_document(database: Database, collection_id: int, number: int, passages: Sequence[Passage]) -> None:
    with database.transaction() as db:
        db.execute(text("SELECT set_config('statement_timeout', '0', true)"))
        document_id = document_store.add_document(
            db,
            coleccion_id=collection_id,
            titulo=f"Tomo {number}",
            tipo="text/plain",
            tamano=1,
            resumen=number.to_bytes(4),
            estado="listo",
            pasajes=len(passages),
        )
        passage_store.add(
            db, document_id=document_id, collection_id=collection_id, language="es", title="", passages=passages
        )
        ids = db.scalars(
            text("SELECT id FROM documento_pasaje WHERE documento_id = :id ORDER BY orden"), {"id": document_id}
        )
        vectors = [(one, vector_of(passage.text)) for one, passage in zip(ids, passages, strict=True)]
        vector_store.add(db, model=WordEmbedder().name, schema="public", vectors=vectors)


def _search_ms(search: DocumentSearch, *, rounds: int) -> list[float]:
    took: list[float] = []
    scope = Scope(slugs=(SLUG,))
    for number in range(rounds + 1):
        for item in QUESTIONS:
            began = time.perf_counter()
            found = find(search, str(item["question"]), scope)
            if not found:
                raise AssertionError(f"nothing was found for {item['question']}")
            if number:  # the first round warms caches
                took.append((time.perf_counter() - began) * 1000)
    return took


def _reading() -> dict[str, float]:
    """In a process of its own, whose only child is the one that reads."""
    told = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.bench.reading", str(PAGES)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(PYTHONPATH=str(ROOT)),
    )
    found: dict[str, float] = json.loads(told.stdout)
    return found
