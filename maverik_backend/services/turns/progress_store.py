"""SQL of what running turns have brought so far: leases, chunks of events, and reading both from other processes.

One heartbeat of a process and one poll of a follower are one statement each, whatever the number of turns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from maverik_backend.services.turns.events import EncodedEvent, StoredEvent, decode
from maverik_backend.services.turns.store import IS_ALIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Encoded events of one attempt at a turn. ``number`` is that of the first, counted from 0 after ``Started``."""

    turn_id: int
    attempt: int
    number: int
    events: list[EncodedEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAttempt:
    """An attempt at a turn that this process runs."""

    turn_id: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a follower has read: every event of ``attempt`` below ``number``."""

    turn_id: int
    attempt: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A turn as a follower of its ``attempt`` finds it; ``is_superseded`` once a later attempt has begun.

    ``events`` begin at ``number``, which may lie before the cursor; ``None`` when nothing is new. ``has_ended`` once it
    has its answer; ``is_alive`` is false once neither the turn's lease nor that of its process holds.
    """

    turn_id: int
    attempt: int
    is_superseded: bool
    has_ended: bool
    is_alive: bool
    number: int | None
    events: list[EncodedEvent] | None


# One statement, so one snapshot and one round trip. Losing the last beat before a crash costs nothing: the commit need
# not wait for the disk. The subquery of a volatile function is neither pulled up nor dropped. A chunk is written again,
# longer, after a beat whose commit was not acknowledged. A turn that was accepted a moment ago and is not registered
# yet has a lease of its own, so it does not lose that of the process.
_BEAT = text("""
WITH running AS (
    SELECT turn_id, attempt FROM jsonb_to_recordset(CAST(:running AS jsonb)) AS running(turn_id bigint, attempt int)
), lease AS (
    INSERT INTO proceso (id, vence)
    SELECT CAST(:process_id AS uuid), now() + CAST(:lease AS interval)
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick
    ON CONFLICT (id) DO UPDATE SET vence = excluded.vence
), stored AS (
    INSERT INTO turno_fragmento (turno_id, intento, numero, eventos)
    SELECT turn_id, attempt, number, events
    FROM jsonb_to_recordset(CAST(:chunks AS jsonb)) AS chunk(turn_id bigint, attempt int, number int, events jsonb)
    ON CONFLICT (turno_id, intento, numero) DO UPDATE SET eventos = excluded.eventos
), removed AS (
    DELETE FROM turno_fragmento USING jsonb_to_recordset(CAST(:ended AS jsonb)) AS ended(turn_id bigint, attempt int)
    WHERE turno_id = ended.turn_id AND intento = ended.attempt
), released AS (
    UPDATE sesion_asesoria_detalle SET proceso_id = NULL
    WHERE proceso_id = CAST(:process_id AS uuid) AND estado = 'pendiente' AND vence < now()
        AND NOT EXISTS (SELECT FROM running WHERE turn_id = id AND attempt = intento)
)
SELECT running.turn_id, running.attempt FROM running
LEFT JOIN sesion_asesoria_detalle AS turn
    ON turn.id = running.turn_id AND turn.intento = running.attempt AND turn.estado = 'pendiente'
WHERE turn.id IS NULL OR turn.detener IS NOT NULL
""")
_FOLLOW = text(f"""
SELECT reader.turn_id AS id, reader.attempt, sesion_asesoria_detalle.intento <> reader.attempt AS is_superseded,
    estado <> 'pendiente' AS has_ended, {IS_ALIVE} AS is_alive, chunk.numero, chunk.eventos
FROM jsonb_to_recordset(CAST(:cursors AS jsonb)) AS reader(turn_id bigint, attempt int, number int)
JOIN sesion_asesoria_detalle ON id = reader.turn_id
LEFT JOIN turno_fragmento AS chunk
    ON chunk.turno_id = reader.turn_id AND chunk.intento = reader.attempt
    AND chunk.numero + jsonb_array_length(chunk.eventos) > reader.number
ORDER BY reader.turn_id, reader.attempt, chunk.numero
""")  # noqa: S608 - a constant of this package
_EVENTS = text(
    "SELECT numero, eventos FROM turno_fragmento WHERE turno_id = :turn_id AND intento = :attempt ORDER BY numero"
)


def beat(
    db: Connection,
    *,
    process_id: UUID,
    lease: timedelta,
    running: Sequence[RunningAttempt],
    chunks: Sequence[Chunk],
    ended: Sequence[RunningAttempt],
) -> set[tuple[int, int]]:
    """Renew the lease of ``process_id``, store ``chunks``, remove those of attempts that have ``ended``.

    Pending turns of the process that are not among ``running`` lose its lease. Returns the (turn, attempt) of those
    among ``running`` that are to end: their stop was requested, or their row is deleted, answered or superseded.
    """
    parameters = {
        "process_id": str(process_id),
        "lease": f"{lease.total_seconds()} seconds",
        "running": json.dumps([asdict(attempt) for attempt in running]),
        "chunks": json.dumps([asdict(chunk) for chunk in chunks]),
        "ended": json.dumps([asdict(attempt) for attempt in ended]),
    }
    return {(row.turn_id, row.attempt) for row in db.execute(_BEAT, parameters)}


def get_events(db: Connection, *, turn_id: int, attempt: int) -> list[StoredEvent]:
    """What an attempt has brought so far, from its beginning, as far as its process has stored it."""
    events: list[StoredEvent] = []
    number = 0
    for chunk in db.execute(_EVENTS, {"turn_id": turn_id, "attempt": attempt}):
        if chunk.numero > number:
            break
        events += decoded(chunk.eventos[number - chunk.numero :])
        number = max(number, chunk.numero + len(chunk.eventos))
    return events


def decoded(stored: Sequence[EncodedEvent]) -> list[StoredEvent]:
    """The events among ``stored`` that this release knows."""
    return [event for event in map(decode, stored) if event is not None]


def follow(db: Connection, cursors: Sequence[Cursor]) -> list[Progress]:
    """How far the turns of ``cursors`` are, with every chunk from each cursor on; nothing for deleted turns."""
    rows = db.execute(_FOLLOW, {"cursors": json.dumps([asdict(cursor) for cursor in cursors])})
    return [
        Progress(
            turn_id=row.id,
            attempt=row.attempt,
            is_superseded=row.is_superseded,
            has_ended=row.has_ended,
            is_alive=row.is_alive,
            number=row.numero,
            events=row.eventos,
        )
        for row in rows
    ]
