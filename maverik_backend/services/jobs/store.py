"""Every statement on ``trabajo``. Leases are measured by the database's clock."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from maverik_backend.models import CorreoSaliente, JobState, Principal, Trabajo

OPEN = (JobState.PENDING, JobState.DEAD)
_SHOWN = (
    Trabajo.id,
    Trabajo.tipo,
    Trabajo.estado,
    Trabajo.sujeto,
    Trabajo.descripcion,
    Trabajo.intentos,
    Trabajo.proximo_intento,
    Trabajo.error,
    Trabajo.fecha_creacion,
)
_NO_PRINCIPAL = 0  # ids start at 1
# Past its lease, and a day more, a mail of the table before is only a copy of a job that newer processes took over.
_KEEP_COPIED_MAILS = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as operators see it: without its payload."""

    id: int
    kind: str
    state: JobState
    subject: str | None
    description: str
    attempts: int
    next_attempt: datetime
    is_running: bool
    error: str | None
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that ``process`` holds until ``expires``. ``content`` is its payload, as it is stored."""

    id: int
    kind: str
    subject: str | None
    attempts: int
    idempotency_key: str = field(repr=False)
    content: str = field(repr=False)
    process: uuid.UUID
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many jobs of a kind wait or run, how many are dead, and how old the oldest that waits is."""

    waiting: float = 0
    dead: float = 0
    oldest_waiting_s: float = 0.0


def lock_subject(db: Connection, subject: str) -> None:
    """Let no other transaction enqueue for ``subject`` until this one ends, so that ids follow the order of commits."""
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"trabajo {subject}", cast(0, BigInteger)))))


def add(
    db: Connection,
    *,
    kind: str,
    subject: str | None,
    principal_id: int | None,
    description: str,
    idempotency_key: str,
    content: str,
) -> None:
    """Insert a job that is due now. ``principal_id`` is stored as NULL when the principal was deleted concurrently.

    The statement is the same with and without a principal: what sign-up and "forgot" cost must not tell whether an
    address has an account.
    """
    owner = select(Principal.id).where(Principal.id == (principal_id or _NO_PRINCIPAL))
    db.execute(
        insert(Trabajo).values(
            tipo=kind,
            sujeto=subject,
            principal_id=owner.with_for_update(read=True, key_share=True).scalar_subquery(),
            descripcion=description,
            referencia=idempotency_key,
            carga=content,
        )
    )


def claim(db: Connection, *, kind: str, process: uuid.UUID, lease: timedelta) -> Claim | None:
    """Lease the job of ``kind`` that has been due for longest and that no earlier job of its subject holds back."""
    due = (
        select(Trabajo.id)
        .where(
            Trabajo.tipo == kind,
            Trabajo.estado == JobState.PENDING,
            Trabajo.proximo_intento <= func.now(),
            _is_not_running(),
            ~_is_held_back(),
        )
        .order_by(Trabajo.proximo_intento, Trabajo.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Trabajo)
        # `=`, not `IN`: PostgreSQL evaluates this once, but may repeat a subquery of IN and so lock several jobs.
        .where(Trabajo.id == due.scalar_subquery())
        .values(vence=func.now() + lease, proceso=process, intentos=Trabajo.intentos + 1)
        .returning(Trabajo.id, Trabajo.sujeto, Trabajo.intentos, Trabajo.referencia, Trabajo.carga, Trabajo.vence)
    )
    row = db.execute(statement).one_or_none()
    if row is None:
        return None
    return Claim(
        id=row.id,
        kind=kind,
        subject=row.sujeto,
        attempts=row.intentos,
        idempotency_key=row.referencia,
        content=row.carga,
        process=process,
        expires=row.vence,
    )


def finish(db: Connection, claim: Claim) -> bool:
    """Record that the job is done and erase its payload; whether the lease was still held."""
    return _settle(db, claim, estado=JobState.DONE, carga=None, error=None, fecha_fin=func.now())


def reschedule(db: Connection, claim: Claim, *, error: str, delay: timedelta) -> bool:
    """Record a failed attempt; the next one is due after ``delay``; whether the lease was still held."""
    return _settle(db, claim, error=error, proximo_intento=func.now() + delay)


def bury(db: Connection, claim: Claim, *, error: str) -> bool:
    """Record that the job is dead; its payload stays for an operator who retries it; whether the lease was held."""
    return _settle(db, claim, estado=JobState.DEAD, error=error, fecha_fin=func.now())


def _settle(db: Connection, claim: Claim, **values: Any) -> bool:  # noqa: ANN401 - columns of the table
    is_ours = (
        Trabajo.id == claim.id,
        Trabajo.estado == JobState.PENDING,
        Trabajo.proceso == claim.process,
        Trabajo.vence == claim.expires,
    )
    statement = update(Trabajo).where(*is_ours).values(vence=None, proceso=None, **values).returning(Trabajo.id)
    return db.execute(statement).one_or_none() is not None


def find(db: Connection, *, kind: str | None, states: Sequence[JobState], limit: int) -> tuple[Job, ...]:
    """The oldest ``limit`` jobs in ``states``, of ``kind`` or of all kinds, by id."""
    of_kind = [] if kind is None else [Trabajo.tipo == kind]
    query = (
        select(*_SHOWN, _is_not_running().label("rests"))
        .where(Trabajo.estado.in_(states), *of_kind)
        .order_by(Trabajo.id)
        .limit(limit)
    )
    return tuple(
        Job(
            id=row.id,
            kind=row.tipo,
            state=JobState(row.estado),
            subject=row.sujeto,
            description=row.descripcion,
            attempts=row.intentos,
            next_attempt=row.proximo_intento,
            is_running=not row.rests,
            error=row.error,
            created=row.fecha_creacion,
        )
        for row in db.execute(query)
    )


def retry(db: Connection, *, ids: Sequence[int], kind: str | None) -> tuple[int, ...]:
    """Make jobs due now, with all their attempts before them: those of ``ids``, and the dead ones of ``kind``.

    Returns the ids of those that were. Neither a running job is, nor one that is done or whose payload is erased.
    """
    values = {
        "estado": JobState.PENDING, "intentos": 0, "proximo_intento": func.now(), "fecha_fin": None,
        "vence": None, "proceso": None,
    }  # fmt: skip
    return _ids(db, update(Trabajo).where(_is_meant(ids, kind), Trabajo.carga.is_not(None)).values(**values))


def discard(db: Connection, *, ids: Sequence[int], kind: str | None) -> tuple[int, ...]:
    """Give jobs up and erase their payloads: those of ``ids``, and the dead ones of ``kind``; as :func:`retry`."""
    values = {
        "estado": JobState.DISCARDED, "carga": None, "fecha_fin": func.now(), "vence": None, "proceso": None,
    }  # fmt: skip
    return _ids(db, update(Trabajo).where(_is_meant(ids, kind)).values(**values))


def _ids(db: Connection, statement: Any) -> tuple[int, ...]:  # noqa: ANN401 - an UPDATE
    returning: ReturningUpdate[tuple[int]] = statement.returning(Trabajo.id)
    return tuple(sorted(db.scalars(returning.execution_options(synchronize_session=False))))


def backlogs(db: Connection) -> Mapping[str, Backlog]:
    """What waits and what is dead, by kind; kinds without either are left out."""
    waits = Trabajo.estado == JobState.PENDING
    query = (
        select(
            Trabajo.tipo,
            func.count().filter(waits),
            func.count().filter(~waits),
            func.extract("epoch", func.now() - func.min(Trabajo.fecha_creacion).filter(waits)),
        )
        .where(Trabajo.estado.in_(OPEN))
        .group_by(Trabajo.tipo)
    )
    return {
        kind: Backlog(waiting=waiting, dead=dead, oldest_waiting_s=float(age_s or 0))
        for kind, waiting, dead, age_s in db.execute(query)
    }


def delete_ended(db: Connection, *, keep: timedelta) -> int:
    """Delete jobs that ended longer than ``keep`` ago, and mails of the table before that are copies of jobs."""
    ended = and_(Trabajo.estado != JobState.PENDING, Trabajo.fecha_fin < func.now() - keep)
    jobs = db.execute(delete(Trabajo).where(ended).returning(Trabajo.id)).all()
    is_copy = CorreoSaliente.proximo_intento < func.now() - _KEEP_COPIED_MAILS
    mails = db.execute(delete(CorreoSaliente).where(is_copy).returning(CorreoSaliente.id)).all()
    return len(jobs) + len(mails)


def _is_not_running() -> ColumnElement[bool]:
    return or_(Trabajo.vence.is_(None), Trabajo.vence <= func.now())


def _is_held_back() -> ColumnElement[bool]:
    """Whether an earlier job of the same subject, of whatever kind, is neither finished nor dead."""
    earlier = aliased(Trabajo)
    return exists().where(earlier.sujeto == Trabajo.sujeto, earlier.estado == JobState.PENDING, earlier.id < Trabajo.id)


def _is_meant(ids: Sequence[int], kind: str | None) -> ColumnElement[bool]:
    dead = and_(Trabajo.tipo == kind, Trabajo.estado == JobState.DEAD)
    return and_(or_(Trabajo.id.in_(ids), dead), Trabajo.estado.in_(OPEN), _is_not_running())
