"""Turns tell which assistant answered in which version; the content of every such version is kept.

Nothing is carried over: turns from before these columns were answered by what the settings of their time said, which is
not on record. Old processes leave the columns null.

Revision ID: a91c4e7d2f60
Revises: b2d5f8c03e74
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a91c4e7d2f60"
down_revision = "b2d5f8c03e74"
branch_labels = None
depends_on = None

TURNS = "sesion_asesoria_detalle"


def upgrade() -> None:
    op.create_table(
        "asistente_version",
        sa.Column("asistente", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("contenido", postgresql.JSONB(), nullable=False),
        sa.Column("fecha_creacion", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("asistente", "version", name="pk_asistente_version"),
    )
    op.add_column(TURNS, sa.Column("asistente", sa.Text(), nullable=True))
    op.add_column(TURNS, sa.Column("asistente_version", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column(TURNS, "asistente_version")
    op.drop_column(TURNS, "asistente")
    op.drop_table("asistente_version")
