"""Keep with a login how it was opened, how long its tokens hold and which refresh was repeated last.

Columns with a constant default, which PostgreSQL writes into the catalogue, or none: old processes insert without them.
The refresh is kept as its number, not as a mark on the latest one, which an old process would not take off.

Revision ID: e7b40c96d5a2
Revises: d2f5a8c31e07
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e7b40c96d5a2"
down_revision = "d2f5a8c31e07"
branch_labels = None
depends_on = None

MARKS = ("con_segundo_factor", "renueva_tokens")


def upgrade() -> None:
    for name in MARKS:
        op.add_column("inicio_sesion", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("inicio_sesion", sa.Column("rotacion_repetida", sa.Integer))


def downgrade() -> None:
    op.drop_column("inicio_sesion", "rotacion_repetida")
    for name in reversed(MARKS):
        op.drop_column("inicio_sesion", name)
