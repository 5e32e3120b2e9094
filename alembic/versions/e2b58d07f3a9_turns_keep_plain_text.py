"""Let a turn keep its answer as plain text too, which takes too long to make for a whole conversation.

Revision ID: e2b58d07f3a9
Revises: e8b3f05d7a19
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e2b58d07f3a9"
down_revision = "e8b3f05d7a19"
branch_labels = None
depends_on = None

TURN = "sesion_asesoria_detalle"


def upgrade() -> None:
    # Null for turns that exist: theirs is made when they are read.
    op.add_column(TURN, sa.Column("texto_plano", sa.Text))
    op.add_column(TURN, sa.Column("intento_plano", sa.Integer))


def downgrade() -> None:
    op.drop_column(TURN, "intento_plano")
    op.drop_column(TURN, "texto_plano")
