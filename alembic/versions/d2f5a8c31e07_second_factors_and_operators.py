"""Add second factors with their recovery codes, and the operator role.

New tables and a column that may be empty: old processes neither read nor write them. An old process therefore asks
nobody for a second factor, which protects an account only once the last old process has ended. When it erases an
account or merges two, it deletes from the tables that it knows and then the person: the rows here go along (CASCADE).

Revision ID: d2f5a8c31e07
Revises: e1a7c94b52d8
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d2f5a8c31e07"
down_revision = "e1a7c94b52d8"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("usuario", sa.Column("operador", TIME))
    op.create_table(
        "segundo_factor",
        _id(),
        sa.Column("usuario_id", sa.BigInteger, nullable=False),
        sa.Column("secreto", sa.Text, nullable=False),
        sa.Column("activado", TIME),
        sa.Column("ultimo_paso", sa.BigInteger),
        _created(),
        _owner("segundo_factor"),
    )
    op.create_index("uq_segundo_factor_usuario_id", "segundo_factor", ["usuario_id"], unique=True)
    op.create_table(
        "codigo_recuperacion",
        _id(),
        sa.Column("usuario_id", sa.BigInteger, nullable=False),
        sa.Column("resumen", sa.LargeBinary, nullable=False),
        _created(),
        _owner("codigo_recuperacion"),
    )
    op.create_index(
        "uq_codigo_recuperacion_usuario_id_resumen", "codigo_recuperacion", ["usuario_id", "resumen"], unique=True
    )


def downgrade() -> None:
    _refuse_to_open_protected_accounts()
    op.drop_table("codigo_recuperacion")
    op.drop_table("segundo_factor")
    op.drop_column("usuario", "operador")


def _refuse_to_open_protected_accounts() -> None:
    active = op.get_bind().scalar(sa.text("SELECT count(*) FROM segundo_factor WHERE activado IS NOT NULL"))
    if active:
        raise SystemExit(f"Nothing was changed: {active} accounts would lose the second factor that protects them.")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def _created() -> sa.Column[object]:
    return sa.Column("fecha_creacion", TIME, nullable=False, server_default=sa.func.now())


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["usuario_id"], ["usuario.id"], name=f"fk_{table}_usuario", ondelete="CASCADE")
