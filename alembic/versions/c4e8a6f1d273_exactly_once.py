"""Let a turn be tried again and a request be repeated without doing anything twice.

Revision ID: c4e8a6f1d273
Revises: b7d93e04a1f6
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c4e8a6f1d273"
down_revision = "b7d93e04a1f6"
branch_labels = None
depends_on = None

TURN = "sesion_asesoria_detalle"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # A constant default is written into the catalogue, not into every row; turns that exist are never tried again.
    op.add_column(TURN, sa.Column("intento", sa.Integer, nullable=False, server_default=sa.text("1")))
    op.add_column(TURN, sa.Column("fecha_intento", TIME))
    op.alter_column(TURN, "fecha_intento", server_default=sa.func.now())
    op.create_index(
        "ix_sesion_asesoria_detalle_pendiente",
        TURN,
        ["sesion_asesoria_id"],
        postgresql_where=sa.text("estado = 'pendiente'"),
    )
    # What a session has had so far, so that no turn has to look through all those before it.
    op.add_column("sesion_asesoria", sa.Column("respondida", TIME))
    op.add_column("sesion_asesoria", sa.Column("portafolio_entregado", TIME))
    op.execute(
        "UPDATE sesion_asesoria AS s SET respondida = fecha_creacion, portafolio_entregado = fecha_creacion "
        f"WHERE EXISTS (SELECT FROM {TURN} AS t WHERE t.sesion_asesoria_id = s.id AND t.texto_sistema IS NOT NULL)"
    )
    op.create_table(
        "pedido_idempotente",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("usuario_id", sa.BigInteger, nullable=False),
        sa.Column("clave", sa.Text, nullable=False),
        sa.Column("resumen", sa.LargeBinary, nullable=False),
        sa.Column("turno_id", sa.BigInteger, nullable=False),
        sa.Column("fecha_creacion", TIME, nullable=False, server_default=sa.func.now()),
        sa.ForeignKeyConstraint(["usuario_id"], ["usuario.id"], name="fk_pedido_idempotente_usuario"),
        sa.ForeignKeyConstraint(["turno_id"], [f"{TURN}.id"], name=f"fk_pedido_idempotente_{TURN}", ondelete="CASCADE"),
    )
    op.create_index(
        "uq_pedido_idempotente_usuario_id_clave", "pedido_idempotente", ["usuario_id", "clave"], unique=True
    )
    op.create_index("ix_pedido_idempotente_turno_id", "pedido_idempotente", ["turno_id"])
    op.create_index("ix_pedido_idempotente_fecha_creacion", "pedido_idempotente", ["fecha_creacion"])


def downgrade() -> None:
    op.drop_table("pedido_idempotente")
    op.drop_column("sesion_asesoria", "portafolio_entregado")
    op.drop_column("sesion_asesoria", "respondida")
    op.drop_index("ix_sesion_asesoria_detalle_pendiente", TURN)
    op.drop_column(TURN, "fecha_intento")
    op.drop_column(TURN, "intento")
