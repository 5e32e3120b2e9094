"""Carry over what no answer can show, and keep it from coming back.

The tables from before this repository took any number and any time that PostgreSQL knows: ``NaN`` and ``Infinity`` as
an amount, days and moments before the year 1 and after 9999. No JSON number and no date of Python holds them, so one
such row made a person's whole list a 500. Optional ones become NULL, required ones the moment of the upgrade, as
3f6c1a9d2b40 does with moments that are missing; each column with any is reported, by count alone.

Earlier revisions took an empty old answer for one that is still waited for. It is an answer, as it was given; only what
a downgrade marks with :data:`UNANSWERED` had none.

While an old process goes on working: it writes none of this (its requests are validated), so the constraints refuse it
nothing. People are locked before sessions and sessions before turns, as everywhere.

Revision ID: e8b3f05d7a19
Revises: e7b40c96d5a2
"""

from __future__ import annotations

import sys

import sqlalchemy as sa
from alembic import op

revision = "e8b3f05d7a19"
down_revision = "e7b40c96d5a2"
branch_labels = None
depends_on = None

TURN = "sesion_asesoria_detalle"
# A JSON number is an IEEE 754 binary64: 1.8e308 at most. NaN is greater than every number (PostgreSQL manual, 8.1.2).
SHOWABLE_AMOUNT = "capital_inicial BETWEEN -1e300 AND 1e300"
SHOWABLE_DAY = "{column} BETWEEN date '0001-01-01' AND date '9999-12-31'"
# A day less at both ends: no time zone leads out of what Python can hold.
SHOWABLE_MOMENT = "{column} BETWEEN timestamptz '0001-01-02 00:00Z' AND timestamptz '9999-12-30 00:00Z'"
# Table, column, what must hold of it, and what takes the place of what cannot be shown.
COLUMNS = (
    ("usuario", "fecha_nacimiento", SHOWABLE_DAY, "NULL"),
    ("usuario", "fecha_creacion", SHOWABLE_MOMENT, "now()"),
    ("usuario", "fecha_actualizacion", SHOWABLE_MOMENT, "now()"),
    ("sesion_asesoria", "capital_inicial", SHOWABLE_AMOUNT, "NULL"),
    ("sesion_asesoria", "fecha_creacion", SHOWABLE_MOMENT, "now()"),
)
# What the old release shows as the answer of a turn that had none when the tables went back to it.
UNANSWERED = "(Este mensaje quedó sin respuesta.)"


def upgrade() -> None:
    for table, column, rule, instead in COLUMNS:
        _carry_over(table, column, rule.format(column=column), instead)
    # Both were copied from the session's creation (c4e8a6f1d273) and say only that there was an answer.
    for column in ("respondida", "portafolio_entregado"):
        rule = SHOWABLE_MOMENT.format(column=column)
        op.execute(f"UPDATE sesion_asesoria SET {column} = fecha_creacion WHERE NOT ({rule})")
    _carry_over_answers()
    # Last, after the large table of turns was read: nothing else can use these two from here to the end.
    for table, column, rule, _ in COLUMNS:
        op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, rule.format(column=column))


def downgrade() -> None:
    op.get_bind().execute(
        sa.text(f"UPDATE {TURN} SET texto_sistema = :text WHERE texto_sistema IS NULL"), {"text": UNANSWERED}
    )
    for table, column, _, _ in reversed(COLUMNS):
        op.drop_constraint(op.f(f"ck_{table}_{column}"), table)


def _carry_over(table: str, column: str, rule: str, instead: str) -> None:
    changed = op.get_bind().scalar(
        sa.text(
            f"WITH changed AS (UPDATE {table} SET {column} = {instead} WHERE NOT ({rule}) RETURNING id) "
            "SELECT count(*) FROM changed"
        )
    )
    if changed:
        sys.stderr.write(f"{table}.{column}: {changed} values that cannot be shown became {instead}\n")


def _carry_over_answers() -> None:
    """Turns of the old tables are those without a time of their own."""
    op.execute(
        f"UPDATE {TURN} SET estado = 'completada', texto_sistema = '' "
        # One that an older process answers anew has the time of that attempt.
        "WHERE estado = 'pendiente' AND texto_sistema IS NULL AND fecha_creacion IS NULL AND fecha_intento IS NULL"
    )
    op.get_bind().execute(
        sa.text(
            f"UPDATE {TURN} SET estado = 'pendiente', texto_sistema = NULL "
            "WHERE texto_sistema = :text AND (estado = 'pendiente' OR fecha_creacion IS NULL)"
        ),
        {"text": UNANSWERED},
    )
    # c4e8a6f1d273 took the mark for an answer.
    op.execute(
        "UPDATE sesion_asesoria s SET respondida = NULL, portafolio_entregado = NULL "
        f"WHERE EXISTS (SELECT FROM {TURN} t WHERE t.sesion_asesoria_id = s.id AND t.estado = 'pendiente' "
        "AND t.fecha_creacion IS NULL) "
        f"AND NOT EXISTS (SELECT FROM {TURN} t WHERE t.sesion_asesoria_id = s.id AND t.texto_sistema <> '')"
    )
