"""Give everything that owns or holds turns a parent, and running turns a lease.

Existing rows get their parents; triggers give them to rows that processes of the release before still insert.

Revision ID: e7c15d90b2a4
Revises: e2b58d07f3a9
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "e7c15d90b2a4"
down_revision = "e2b58d07f3a9"
branch_labels = None
depends_on = None

TURN = "sesion_asesoria_detalle"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_parent(
        "principal",
        sa.Column("emisor", sa.Text),
        sa.Column("sujeto", sa.Text),
        sa.CheckConstraint("(emisor IS NULL) = (sujeto IS NULL)", name="ck_principal_sujeto"),
        child="usuario",
        kind="persona",
    )
    op.create_index("uq_principal_emisor_sujeto", "principal", ["emisor", "sujeto"], unique=True)
    _add_parent(
        "conversacion",
        sa.Column("principal_id", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name="fk_conversacion_principal"),
        child="sesion_asesoria",
        kind="asesoria",
        copied={"principal_id": "usuario_id"},
    )
    # Merging accounts hands sessions over.
    _create_trigger(
        "sesion_asesoria_conversacion_cambio",
        "sesion_asesoria",
        "UPDATE OF usuario_id",
        "UPDATE conversacion SET principal_id = NEW.usuario_id WHERE id = NEW.id",
    )
    op.create_index("ix_conversacion_principal_id_id", "conversacion", ["principal_id", "id"])
    _refer(TURN, "sesion_asesoria_id", before="sesion_asesoria", after="conversacion")
    _refer("pedido_idempotente", "usuario_id", before="usuario", after="principal")
    op.create_table("proceso", sa.Column("id", sa.Uuid, primary_key=True), sa.Column("vence", TIME, nullable=False))
    op.create_table(
        "turno_fragmento",
        sa.Column("turno_id", sa.BigInteger, primary_key=True),
        sa.Column("intento", sa.Integer, primary_key=True),
        sa.Column("numero", sa.Integer, primary_key=True),
        sa.Column("eventos", JSONB, nullable=False),
        sa.Column("fecha_creacion", TIME, nullable=False, server_default=sa.func.now()),
        prefixes=["UNLOGGED"],
    )
    op.add_column(TURN, sa.Column("proceso_id", sa.Uuid))
    op.add_column(TURN, sa.Column("vence", TIME))
    op.add_column(TURN, sa.Column("detener", TIME))
    op.add_column(TURN, sa.Column("detenida", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index(f"ix_{TURN}_proceso_id", TURN, ["proceso_id"], postgresql_where=sa.text("estado = 'pendiente'"))


def downgrade() -> None:
    op.drop_index(f"ix_{TURN}_proceso_id", TURN)
    for column in ("detenida", "detener", "vence", "proceso_id"):
        op.drop_column(TURN, column)
    op.drop_table("turno_fragmento")
    op.drop_table("proceso")
    _refer("pedido_idempotente", "usuario_id", before="principal", after="usuario")
    _refer(TURN, "sesion_asesoria_id", before="conversacion", after="sesion_asesoria")
    _drop_trigger("sesion_asesoria_conversacion_cambio", "sesion_asesoria")
    _drop_parent("conversacion", child="sesion_asesoria")
    _drop_parent("principal", child="usuario")


def _add_parent(
    parent: str, *extra: sa.schema.SchemaItem, child: str, kind: str, copied: dict[str, str] | None = None
) -> None:
    """Create ``parent`` with a row for each of ``child``, numbered by its sequence, and keep both in step."""
    copied = copied or {}
    sequence = op.get_bind().scalar(sa.text(f"SELECT pg_get_serial_sequence('{child}', 'id')"))
    op.create_table(
        parent,
        sa.Column("id", sa.BigInteger, primary_key=True, server_default=sa.text(f"nextval('{sequence}')")),
        sa.Column("tipo", sa.Text, nullable=False),
        sa.Column("fecha_creacion", TIME, nullable=False, server_default=sa.func.now()),
        *extra,
    )
    columns = ", ".join(["id", "tipo", *copied])
    values = ", ".join(["id", f"'{kind}'", *copied.values()])
    new_values = ", ".join(["NEW.id", f"'{kind}'", *(f"NEW.{column}" for column in copied.values())])
    # After the child: an INSERT ... ON CONFLICT DO NOTHING that inserts none must not leave a parent alone.
    _create_trigger(
        f"{child}_{parent}_alta", child, "INSERT", f"INSERT INTO {parent} ({columns}) VALUES ({new_values})"
    )
    _create_trigger(f"{child}_{parent}_baja", child, "DELETE", f"DELETE FROM {parent} WHERE id = OLD.id")
    # Creating a trigger locks the child until the migration is committed: none can be added without a parent.
    op.execute(f"INSERT INTO {parent} ({columns}) SELECT {values} FROM {child}")
    # Deferred, since the trigger inserts the parent after the child.
    op.create_foreign_key(f"fk_{child}_{parent}", child, parent, ["id"], ["id"], deferrable=True, initially="DEFERRED")


def _drop_parent(parent: str, *, child: str) -> None:
    """Drop ``parent``, unless it has rows that are no ``child``: what they hold would be lost."""
    others = sa.text(f"SELECT count(*) FROM {parent} WHERE id NOT IN (SELECT id FROM {child})")
    if count := op.get_bind().scalar(others):
        raise RuntimeError(f"{count} rows of {parent} belong to no {child}: this downgrade would lose them.")
    op.drop_constraint(f"fk_{child}_{parent}", child)
    for name in (f"{child}_{parent}_alta", f"{child}_{parent}_baja"):
        _drop_trigger(name, child)
    op.drop_table(parent)


def _create_trigger(name: str, table: str, event: str, statement: str) -> None:
    # The search path is pinned to the schema of this installation (PostgreSQL manual, CREATE FUNCTION, "Writing
    # SECURITY DEFINER Functions Safely"): the function means the same table whatever its caller's path is.
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT "
        f"AS $$ BEGIN {statement}; RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _drop_trigger(name: str, table: str) -> None:
    op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(f"DROP FUNCTION {name}()")


def _refer(table: str, column: str, *, before: str, after: str) -> None:
    """Let ``column`` refer to ``after`` instead of ``before``, which hold the same ids."""
    op.drop_constraint(f"fk_{table}_{before}", table)
    op.create_foreign_key(f"fk_{table}_{after}", table, after, [column], ["id"])
