"""How well the passages of the shipped articles are found; `python -m tests.bench --only retrieval` prints it."""

from __future__ import annotations

from maverik_backend.core.database import Database
from maverik_backend.core.metrics import Metrics
from maverik_backend.services.jobs import JobRunner
from maverik_backend.services.knowledge import DocumentSearch, EmbeddingJob, Scope, request_vectors
from maverik_backend.web.resources import Resources
from tests.support.embeddings import WordEmbedder
from tests.support.knowledge import find
from tests.support.retrieval import QUESTIONS, measure

LIMIT = 20


def test_there_are_questions_enough() -> None:
    assert len({str(item["question"]) for item in QUESTIONS}) >= 100


def test_it_is_by_words_and_vectors_together(resources: Resources) -> None:
    """The vectors are of words, too (tests/support/embeddings.py): what is shown is that joining them loses nothing."""
    transaction, keyring = resources.database.transaction, resources.keyring
    embedder = WordEmbedder(512)
    job = EmbeddingJob(transaction=transaction, embedder=embedder, keyring=keyring)
    with transaction() as db:
        request_vectors(db, model=embedder.name, keyring=keyring)
    assert JobRunner(transaction=transaction, kinds=[job], keyring=keyring, metrics=Metrics()).run_due() == 1
    search = DocumentSearch(transaction, embedder=embedder)

    quality = measure(lambda question: [found.reference for found in find(search, question, Scope(), limit=LIMIT)])

    assert quality.recall >= 0.95, quality.missed


def test_a_right_article_is_among_the_first_five_by_words_alone(database: Database) -> None:
    search = DocumentSearch(database.transaction)

    quality = measure(lambda question: [found.reference for found in find(search, question, Scope(), limit=LIMIT)])

    assert quality.recall >= 0.95, quality.missed
    assert quality.mrr >= 0.8
