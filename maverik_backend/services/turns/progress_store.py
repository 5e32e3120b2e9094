"""SQL of what running turns have brought so far: leases, chunks of events, and reading both from other processes.

One heartbeat of a process and one poll of a follower are one statement each, whatever the number of turns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from maverik_backend.services.turns.events import StoredEvent, decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Encoded events of one attempt at a turn, the first of which has ``number``."""

    turn_id: int
    attempt: int
    number: int
    events: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a follower has read: every event of ``attempt`` below ``number``."""

    turn_id: int
    attempt: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A turn as a follower finds it.

    ``events`` begin at ``number``, which may lie before the cursor; ``None`` when nothing is new. ``has_ended`` once it
    has its answer; ``is_alive`` is false once neither the turn's lease nor that of its process holds.
    """

    turn_id: int
    attempt: int
    has_ended: bool
    is_alive: bool
    number: int | None
    events: list[dict[str, Any]] | None


# One statement, so one snapshot and one round trip. Losing the last beat before a crash costs nothing: the commit need
# not wait for the disk. The subquery of a volatile function is neither pulled up nor dropped. A chunk is written again,
# longer, after a beat whose commit was not acknowledged.
_BEAT = text("""
WITH lease AS (
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
    DELETE FROM turno_fragmento WHERE turno_id = ANY(CAST(:ended AS bigint[]))
), released AS (
    UPDATE sesion_asesoria_detalle AS turn SET proceso_id = NULL
    FROM jsonb_to_recordset(CAST(:left AS jsonb)) AS attempt(turn_id bigint, number int)
    WHERE turn.id = attempt.turn_id AND turn.intento = attempt.number
        AND turn.estado = 'pendiente' AND turn.proceso_id = CAST(:process_id AS uuid)
)
SELECT id FROM sesion_asesoria_detalle
WHERE proceso_id = CAST(:process_id AS uuid) AND estado = 'pendiente' AND detener IS NOT NULL
""")
_IS_ALIVE = """(
    turn.vence > now()
    OR EXISTS (SELECT FROM proceso WHERE proceso.id = turn.proceso_id AND proceso.vence > now())
)"""

_FOLLOW = text(f"""
SELECT turn.id, turn.intento, turn.estado <> 'pendiente' AS has_ended, {_IS_ALIVE} AS is_alive,
    chunk.numero, chunk.eventos
FROM jsonb_to_recordset(CAST(:cursors AS jsonb)) AS reader(turn_id bigint, attempt int, number int)
JOIN sesion_asesoria_detalle AS turn ON turn.id = reader.turn_id
LEFT JOIN turno_fragmento AS chunk
    ON chunk.turno_id = turn.id AND chunk.intento = reader.attempt
    AND chunk.numero + jsonb_array_length(chunk.eventos) > reader.number
ORDER BY turn.id, chunk.numero
""")  # noqa: S608 - a constant of this module


_EVENTS = text("SELECT eventos FROM turno_fragmento WHERE turno_id = :turn_id AND intento = :attempt ORDER BY numero")


def beat(
    db: Connection,
    *,
    process_id: UUID,
    lease: timedelta,
    chunks: Sequence[Chunk],
    ended: Sequence[int],
    left: Sequence[tuple[int, int]],
) -> list[int]:
    """Renew the lease of ``process_id``, store ``chunks``, remove those of ``ended`` turns.

    ``left`` are attempts (turn, number) that the process gave up without writing their end: they lose its lease.
    Returns the ids of this process's turns whose stop was requested.
    """
    parameters = {
        "process_id": str(process_id),
        "lease": f"{lease.total_seconds()} seconds",
        "chunks": json.dumps([asdict(chunk) for chunk in chunks]),
        "ended": list(ended),
        "left": json.dumps([{"turn_id": turn_id, "number": number} for turn_id, number in left]),
    }
    return list(db.scalars(_BEAT, parameters))


def get_events(db: Connection, *, turn_id: int, attempt: int) -> list[StoredEvent]:
    """What an attempt has brought so far, as far as its process has stored it."""
    chunks = db.scalars(_EVENTS, {"turn_id": turn_id, "attempt": attempt})
    return [event for chunk in chunks for event in map(decode, chunk) if event is not None]


def follow(db: Connection, cursors: Sequence[Cursor]) -> list[Progress]:
    """How far the turns of ``cursors`` are, with every chunk from each cursor on; nothing for deleted turns."""
    rows = db.execute(_FOLLOW, {"cursors": json.dumps([asdict(cursor) for cursor in cursors])})
    return [
        Progress(
            turn_id=row.id,
            attempt=row.intento,
            has_ended=row.has_ended,
            is_alive=row.is_alive,
            number=row.numero,
            events=row.eventos,
        )
        for row in rows
    ]
