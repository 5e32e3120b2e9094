"""Making vectors of passages: a kind of job, which also makes them anew when the model changes.

One job at a time, over all passages that have no vector of the configured model. When none is left, vectors of other
models go. Searches use the vectors that are there, and words for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from maverik_backend.clients.embeddings.base import Embedder, Purpose
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import Keyring
from maverik_backend.core.security import Purpose as SealingPurpose
from maverik_backend.models import JobState
from maverik_backend.services.jobs import Attempt, JobKind, enqueue, find
from maverik_backend.services.knowledge import vector_store

BATCH = 64
TIMEOUT_S = 600.0
# When so little time is left, another job goes on.
_LAST_BATCH_S = 90.0
_SUBJECT = "vectores"

_log = structlog.get_logger(__name__)


class EmbeddingPayload(BaseModel):
    """The model that vectors are to be made with."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    model: str


class OtherModel(Exception):
    """The job is for a model that other processes have: those of the release, or configuration, to come."""


class EmbeddingJob(JobKind[EmbeddingPayload]):
    """Makes the vectors that are missing, batch by batch; retried for about a day."""

    name = "vectores"
    sealed_as: ClassVar[SealingPurpose | None] = None
    retry_delays: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(hours=16),
    )
    timeout_s = TIMEOUT_S

    def __init__(self, *, transaction: TransactionFactory, embedder: Embedder | None, keyring: Keyring) -> None:
        self._transaction = transaction
        self._embedder = embedder
        self._keyring = keyring

    def parse(self, content: str) -> EmbeddingPayload:
        return EmbeddingPayload.model_validate_json(content)

    def run(self, payload: EmbeddingPayload, attempt: Attempt) -> None:
        if self._embedder is None:  # turned off since
            return
        if payload.model != self._embedder.name:
            raise OtherModel
        after = 0
        while (last := self._embed_batch(self._embedder, after, attempt)) is not None:
            after = last
            if attempt.deadline.remaining_s() < _LAST_BATCH_S:
                with self._transaction() as db:
                    request_vectors(db, model=payload.model, keyring=self._keyring)
                return
        with self._transaction() as db:
            if not vector_store.get_missing(db, model=payload.model, after=0, limit=1):
                removed = vector_store.remove_other_models(db, model=payload.model)
                _log.info("passages_embedded", model=payload.model, models_removed=removed)

    def _embed_batch(self, embedder: Embedder, after: int, attempt: Attempt) -> int | None:
        """Make vectors of the next passages; the id of the last one, ``None`` when there was none, or no pgvector."""
        with self._transaction() as db:
            schema = vector_store.extension_schema(db)
            missing = vector_store.get_missing(db, model=embedder.name, after=after, limit=BATCH) if schema else []
        if not missing or schema is None:
            return None
        texts = [passage.text for passage in missing]
        vectors = embedder.embed(texts, purpose=Purpose.PASSAGE, deadline=attempt.deadline)
        ids = [passage.id for passage in missing]
        with self._transaction() as db:
            found = list(zip(ids, vectors, strict=True))
            vector_store.add(db, model=embedder.name, schema=schema, vectors=found)
        return ids[-1]


def request_vectors(db: Connection, *, model: str, keyring: Keyring) -> None:
    """Have the vectors made that ``model`` has not made yet, once the transaction has committed."""
    payload = EmbeddingPayload(model=model)
    enqueue(db, EmbeddingJob, payload, keyring=keyring, description=model, subject=_SUBJECT)


def request_missing_vectors(db: Connection, *, embedder: Embedder, keyring: Keyring) -> bool:
    """The same, if any are missing and no job is to make them; whether one is now. For the start of a process."""
    if vector_store.extension_schema(db) is None:
        _log.warning("pgvector_missing", model=embedder.name)
        return False
    is_requested = find(db, kind=EmbeddingJob.name, states=(JobState.PENDING,), limit=1)
    if is_requested or not vector_store.get_missing(db, model=embedder.name, after=0, limit=1):
        return False
    request_vectors(db, model=embedder.name, keyring=keyring)
    return True
