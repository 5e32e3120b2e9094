"""Writing a job, in the transaction of the fact that it follows from."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection

from maverik_backend.core.security import Keyring
from maverik_backend.services.jobs import store
from maverik_backend.services.jobs.kind import JobKind, P


def enqueue(
    db: Connection,
    kind: type[JobKind[P]],
    payload: P,
    *,
    keyring: Keyring,
    description: str = "",
    subject: str | None = None,
    principal_id: int | None = None,
) -> None:
    """Write a job as part of the transaction of ``db``; it runs once that has committed, and not at all otherwise.

    ``description`` is shown to operators and holds nothing personal. Jobs of one ``subject`` run one after the other in
    the order in which their transactions enqueued: the first that enqueues for a subject makes others wait until it
    ends, so a transaction that enqueues for several takes them in sorted order. The job is deleted with the principal
    of ``principal_id``.
    """
    content = payload.model_dump_json(exclude_none=True)
    if kind.sealed_as is not None:
        content = keyring.seal(content.encode(), purpose=kind.sealed_as)
    if subject is not None:
        store.lock_subject(db, subject)
    store.add(
        db,
        kind=kind.name,
        subject=subject,
        principal_id=principal_id,
        description=description,
        # Unique beyond this database: a receiver may know jobs of several that all number theirs from one.
        idempotency_key=f"maverik-{uuid.uuid4().hex}",
        content=content,
    )
