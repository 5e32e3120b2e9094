"""A ledger of what principals use of language models, and reservations of running turns.

Two new tables; nothing is carried over, as what turns used is on record nowhere. Old processes neither read nor write
them, and what their turns use is not counted.

Revision ID: c7d1e94a3f58
Revises: a91c4e7d2f60
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c7d1e94a3f58"
down_revision = "a91c4e7d2f60"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _principal(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("principal.id", name=f"fk_{table}_principal", ondelete="CASCADE")
    return sa.Column("principal_id", sa.BigInteger(), key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "consumo",
        _id(),
        _principal("consumo"),
        sa.Column("dia", sa.Date(), nullable=False),
        sa.Column("asistente", sa.Text(), nullable=False),
        sa.Column("modelo", sa.Text(), nullable=False),
        sa.Column("pedidos", sa.Integer(), nullable=False),
        sa.Column("tokens_entrada", sa.BigInteger(), nullable=False),
        sa.Column("tokens_reutilizados", sa.BigInteger(), nullable=False),
        sa.Column("tokens_salida", sa.BigInteger(), nullable=False),
        sa.Column("tokens_razonamiento", sa.BigInteger(), nullable=False),
        sa.Column("costo_microusd", sa.BigInteger(), nullable=False),
        sa.Column("fecha_actualizacion", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="consumo_pkey"),
        sa.UniqueConstraint(
            "principal_id", "dia", "asistente", "modelo", name="uq_consumo_principal_id_dia_asistente_modelo"
        ),
    )
    op.create_index("ix_consumo_dia", "consumo", ["dia"])
    op.create_table(
        "reserva_consumo",
        _id(),
        _principal("reserva_consumo"),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("costo_microusd", sa.BigInteger(), nullable=False),
        sa.Column("vence", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="reserva_consumo_pkey"),
    )
    op.create_index("ix_reserva_consumo_principal_id_vence", "reserva_consumo", ["principal_id", "vence"])


def downgrade() -> None:
    op.drop_table("reserva_consumo")
    op.drop_table("consumo")
