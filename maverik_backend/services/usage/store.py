"""All SQL of the ledger and of reservations. Days are those of Argentina, by the database's clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Interval, bindparam, text

from maverik_backend.services.usage.limits import Limits, Spent
from maverik_backend.services.usage.records import Bill

TODAY = "(now() AT TIME ZONE interval '-03:00')::date"
"""SQL: the day on the clocks of Argentina, which have no daylight saving."""

_LOCK = text("SELECT id FROM principal WHERE id = :principal_id FOR NO KEY UPDATE")
# LEAST ignores NULL: what remains of no limit is NULL, and is enough for everything.
_RESERVE = text(f"""
    WITH spent AS (
        SELECT
            coalesce(sum(tokens_entrada + tokens_salida) FILTER (WHERE dia = {TODAY}), 0)::bigint AS tokens_day,
            coalesce(sum(tokens_entrada + tokens_salida), 0)::bigint AS tokens_month,
            coalesce(sum(costo_microusd) FILTER (WHERE dia = {TODAY}), 0)::bigint AS cost_day,
            coalesce(sum(costo_microusd), 0)::bigint AS cost_month
        FROM consumo
        WHERE principal_id = :principal_id AND dia >= date_trunc('month', {TODAY})::date
    ), held AS (
        SELECT coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(costo_microusd), 0)::bigint AS cost
        FROM reserva_consumo WHERE principal_id = :principal_id AND vence > now()
    ), room AS (
        SELECT
            least(CAST(:tokens_per_day AS bigint) - tokens_day, CAST(:tokens_per_month AS bigint) - tokens_month)
                - held.tokens AS tokens,
            least(CAST(:microusd_per_day AS bigint) - cost_day, CAST(:microusd_per_month AS bigint) - cost_month)
                - held.cost AS cost
        FROM spent, held
    ), added AS (
        INSERT INTO reserva_consumo (principal_id, tokens, costo_microusd, vence)
        SELECT :principal_id, least(CAST(:tokens AS bigint), tokens), least(CAST(:cost_microusd AS bigint), cost),
               now() + :hold
        FROM room WHERE coalesce(tokens > 0, true) AND coalesce(cost > 0, true)
        RETURNING id
    )
    SELECT (SELECT id FROM added) AS reservation_id, now() AS now, spent.* FROM spent
""").bindparams(bindparam("hold", type_=Interval()))  # noqa: S608 - a constant
# In the order of the unique constraint: two turns of a principal never wait for each other's rows in a circle.
_BOOK = text(f"""
    WITH released AS (DELETE FROM reserva_consumo WHERE id = :reservation_id)
    INSERT INTO consumo AS c (
        principal_id, dia, asistente, modelo, pedidos,
        tokens_entrada, tokens_reutilizados, tokens_salida, tokens_razonamiento, costo_microusd
    )
    SELECT p.id, {TODAY}, line.assistant, line.model, line.requests,
           line.input_tokens, line.cached_tokens, line.output_tokens, line.reasoning_tokens, line.cost_microusd
    FROM principal p, jsonb_to_recordset(CAST(:lines AS jsonb)) AS line (
        assistant text, model text, requests integer,
        input_tokens bigint, cached_tokens bigint, output_tokens bigint, reasoning_tokens bigint, cost_microusd bigint
    )
    WHERE p.id = :principal_id
    ORDER BY line.assistant, line.model
    FOR KEY SHARE OF p
    ON CONFLICT (principal_id, dia, asistente, modelo) DO UPDATE SET
        pedidos = c.pedidos + excluded.pedidos,
        tokens_entrada = c.tokens_entrada + excluded.tokens_entrada,
        tokens_reutilizados = c.tokens_reutilizados + excluded.tokens_reutilizados,
        tokens_salida = c.tokens_salida + excluded.tokens_salida,
        tokens_razonamiento = c.tokens_razonamiento + excluded.tokens_razonamiento,
        costo_microusd = c.costo_microusd + excluded.costo_microusd,
        fecha_actualizacion = now()
""")  # noqa: S608 - a constant
_CONSUMPTION = text("""
    SELECT
        coalesce(u.email, 'principal ' || c.principal_id) AS principal, asistente AS assistant, modelo AS model,
        sum(pedidos)::bigint AS requests, sum(tokens_entrada)::bigint AS input_tokens,
        sum(tokens_reutilizados)::bigint AS cached_tokens, sum(tokens_salida)::bigint AS output_tokens,
        sum(tokens_razonamiento)::bigint AS reasoning_tokens, sum(costo_microusd)::bigint AS cost_microusd
    FROM consumo c LEFT JOIN usuario u ON u.id = c.principal_id
    WHERE dia BETWEEN :first AND :last AND c.principal_id = coalesce(CAST(:principal_id AS bigint), c.principal_id)
    GROUP BY 1, 2, 3 ORDER BY 9 DESC, 5 DESC, 1, 2, 3
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What one principal (its address, or its id where it has no account) used of a model by an assistant."""

    principal: str
    assistant: str
    model: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_microusd: int


def lock(db: Connection, *, principal_id: int) -> None:
    """Let other reservations of the principal wait until ``db`` ends; foreign keys to it are not held up."""
    db.execute(_LOCK, {"principal_id": principal_id})


def reserve(
    db: Connection, *, principal_id: int, limits: Limits, tokens: int, cost_microusd: int, hold: timedelta
) -> tuple[int | None, Spent]:
    """Reserve for a locked principal, at most what remains: the reservation's id, ``None`` when nothing does."""
    parameters = {"principal_id": principal_id, "tokens": tokens, "cost_microusd": cost_microusd, "hold": hold}
    row = db.execute(_RESERVE, {**parameters, **asdict(limits)}).one()
    spent = Spent(
        now=row.now,
        tokens_day=row.tokens_day,
        tokens_month=row.tokens_month,
        cost_day=row.cost_day,
        cost_month=row.cost_month,
    )
    return row.reservation_id, spent


def book(db: Connection, bill: Bill) -> None:
    """Add the lines of ``bill`` to today's, and delete its reservation, in one statement."""
    lines = json.dumps([asdict(line) for line in bill.lines])
    db.execute(_BOOK, {"principal_id": bill.principal_id, "reservation_id": bill.reservation_id, "lines": lines})


def get_consumption(
    db: Connection, *, first: date, last: date, principal_id: int | None = None
) -> Sequence[Consumption]:
    """What was used from ``first`` to ``last``, both included, the dearest first."""
    rows = db.execute(_CONSUMPTION, {"first": first, "last": last, "principal_id": principal_id})
    return [Consumption(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def today(db: Connection) -> date:
    """The day that is booked now."""
    day: date = db.execute(text(f"SELECT {TODAY}")).scalar_one()
    return day
