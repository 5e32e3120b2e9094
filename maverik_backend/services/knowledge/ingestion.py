"""Reading an uploaded document: a kind of job.

The passages are stored in one transaction with the state, so a document is found whole or not at all; until then only
the progress is written. An attempt that is repeated begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.documents.chunks import Passage
from maverik_backend.core.documents.limits import ReadingLimits
from maverik_backend.core.documents.reading import read_passages
from maverik_backend.core.documents.refusals import DocumentRefused
from maverik_backend.core.documents.sniffing import MediaType
from maverik_backend.core.security import Purpose
from maverik_backend.models import DocumentState
from maverik_backend.services.jobs import Attempt, JobKind
from maverik_backend.services.knowledge import document_store, passage_store
from maverik_backend.texts import documents as texts

PROGRESS_INTERVAL_S = 1.0
# What storing the passages may take after reading them.
_STORING_S = 120.0

AfterStored = Callable[[Connection], None]


class IngestionPayload(BaseModel):
    """Which document to read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    document_id: int


class IngestionJob(JobKind[IngestionPayload]):
    """Reads one document in a process of its own and stores its passages.

    A document that cannot be read is no failure of the job: it has a state that says so, and a sentence.
    """

    name = "documento"
    sealed_as: ClassVar[Purpose | None] = None
    retry_delays: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=10),
        timedelta(minutes=1),
        timedelta(minutes=10),
        timedelta(hours=1),
    )

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        limits: ReadingLimits | None = None,
        after_stored: AfterStored = lambda _db: None,
    ) -> None:
        """``after_stored`` is called in the transaction that stores the passages of a document."""
        self._transaction = transaction
        self._limits = limits or ReadingLimits()
        self._after_stored = after_stored
        self.timeout_s = self._limits.wall_s + _STORING_S

    def parse(self, content: str) -> IngestionPayload:
        return IngestionPayload.model_validate_json(content)

    def run(self, payload: IngestionPayload, attempt: Attempt) -> None:
        document_id = payload.document_id
        try:
            self._read(document_id, attempt)
        except DocumentRefused as refused:
            self._refuse(document_id, texts.REFUSALS[refused.refusal])
        except Exception:
            if attempt.number > len(self.retry_delays):  # the last one: the job is dead, the person is told
                self._refuse(document_id, texts.FAILED)
            raise

    def _read(self, document_id: int, attempt: Attempt) -> None:
        with self._transaction() as db:
            file = document_store.get_file(db, document_id=document_id)
            if file is None:  # removed, or read by an attempt that lost its lease
                return
            document_store.set_state(db, document_id=document_id, state=DocumentState.PROCESSING, paginas_hechas=0)
        content, media_type = file
        progress = _Progress(self._transaction, document_id)
        passages = read_passages(
            content, MediaType(media_type), on_page=progress.note, deadline=attempt.deadline, limits=self._limits
        )
        with self._transaction() as db:
            self._store(db, document_id, passages, pages=progress.pages)

    def _store(self, db: Connection, document_id: int, passages: Sequence[Passage], *, pages: int | None) -> None:
        stored = document_store.lock_document(db, document_id=document_id)
        if stored is None:  # removed while it was read
            return
        document_store.remove_passages(db, document_id=document_id)
        passage_store.add(
            db,
            document_id=document_id,
            collection_id=stored.collection_id,
            language=stored.language,
            title=stored.title,
            passages=passages,
        )
        values = {"pasajes": len(passages), "paginas": pages, "paginas_hechas": pages or 0}
        document_store.set_state(db, document_id=document_id, state=DocumentState.READY, **values)
        document_store.drop_file(db, document_id=document_id)
        self._after_stored(db)

    def _refuse(self, document_id: int, sentence: str) -> None:
        with self._transaction() as db:
            document_store.set_state(db, document_id=document_id, state=DocumentState.FAILED, error=sentence)
            document_store.drop_file(db, document_id=document_id)


class _Progress:
    """Writes down how many pages were read, at most once in :data:`PROGRESS_INTERVAL_S`."""

    def __init__(self, transaction: TransactionFactory, document_id: int) -> None:
        self.pages: int | None = None
        self._transaction = transaction
        self._document_id = document_id
        self._noted_at = 0.0

    def note(self, done: int, pages: int) -> None:
        self.pages = pages
        if time.monotonic() - self._noted_at < PROGRESS_INTERVAL_S:
            return
        with self._transaction() as db:
            values = {"paginas": pages, "paginas_hechas": done}
            document_store.set_state(db, document_id=self._document_id, state=DocumentState.PROCESSING, **values)
        self._noted_at = time.monotonic()
