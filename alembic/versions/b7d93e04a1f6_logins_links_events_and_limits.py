"""Add logins, set-password links, security events and shared rate limits.

Keys that older releases mailed and kept in clear go on working, but their owners are asked to change them.

Revision ID: b7d93e04a1f6
Revises: 8a41f2c7e95b
"""

from __future__ import annotations

import secrets

import argon2
import sqlalchemy as sa
from alembic import op

revision = "b7d93e04a1f6"
down_revision = "8a41f2c7e95b"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Everybody who is here now has a key that was mailed; the next ones start as the code says.
    op.add_column("usuario", sa.Column("debe_cambiar_clave", sa.Boolean, nullable=False, server_default=sa.true()))
    op.alter_column("usuario", "debe_cambiar_clave", server_default=sa.false())
    for name in ("clave_vence", "email_verificado", "deshabilitado"):
        op.add_column("usuario", sa.Column(name, TIME))
    _create_logins()
    _create_links()
    _create_events()
    op.create_table(
        "limite_uso",
        sa.Column("clave", sa.Text, primary_key=True),
        sa.Column("cuenta", sa.Integer, nullable=False),
        sa.Column("vence", TIME, nullable=False),
    )
    op.create_index("ix_limite_uso_vence", "limite_uso", ["vence"])


def downgrade() -> None:
    _refuse_to_open_closed_accounts()
    _end_temporary_keys()
    for table in ("limite_uso", "evento_seguridad", "enlace_clave", "inicio_sesion"):
        op.drop_table(table)
    for name in ("deshabilitado", "email_verificado", "clave_vence", "debe_cambiar_clave"):
        op.drop_column("usuario", name)


def _refuse_to_open_closed_accounts() -> None:
    closed = op.get_bind().scalar(sa.text("SELECT count(*) FROM usuario WHERE deshabilitado IS NOT NULL"))
    if closed:
        raise SystemExit(f"Nothing was changed: {closed} disabled accounts would be open again in the old tables.")


def _end_temporary_keys() -> None:
    """The old tables cannot say when a key expires: rather than hold for ever, mailed ones match nothing any more."""
    unknown = argon2.PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(secrets.token_urlsafe(32))
    statement = sa.text("UPDATE usuario SET clave_hash = :hash WHERE clave_vence IS NOT NULL")
    op.get_bind().execute(statement, {"hash": unknown})


def _create_logins() -> None:
    op.create_table(
        "inicio_sesion",
        _id(),
        sa.Column("usuario_id", sa.BigInteger, nullable=False),
        sa.Column("rotacion", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("ultimo_uso", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("vence", TIME, nullable=False),
        sa.Column("cerrado", TIME),
        sa.Column("direccion", sa.Text),
        sa.Column("agente", sa.Text),
        _created(),
        _owner("inicio_sesion"),
    )
    op.create_index("ix_inicio_sesion_usuario_id_id", "inicio_sesion", ["usuario_id", "id"])


def _create_links() -> None:
    op.create_table(
        "enlace_clave",
        _id(),
        sa.Column("usuario_id", sa.BigInteger, nullable=False),
        sa.Column("resumen", sa.LargeBinary, nullable=False),
        sa.Column("vence", TIME, nullable=False),
        _created(),
        _owner("enlace_clave"),
    )
    op.create_index("ix_enlace_clave_usuario_id", "enlace_clave", ["usuario_id"])
    op.create_index("uq_enlace_clave_resumen", "enlace_clave", ["resumen"], unique=True)


def _create_events() -> None:
    op.create_table(
        "evento_seguridad",
        _id(),
        sa.Column("usuario_id", sa.BigInteger),
        sa.Column("tipo", sa.Text, nullable=False),
        sa.Column("direccion", sa.Text),
        _created(),
        _owner("evento_seguridad"),
    )
    op.create_index("ix_evento_seguridad_usuario_id_id", "evento_seguridad", ["usuario_id", "id"])


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def _created() -> sa.Column[object]:
    return sa.Column("fecha_creacion", TIME, nullable=False, server_default=sa.func.now())


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["usuario_id"], ["usuario.id"], name=f"fk_{table}_usuario")
