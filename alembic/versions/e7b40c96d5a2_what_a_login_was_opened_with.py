"""Keep with a login how it was opened, how long its tokens hold and whether its last refresh was repeated.

Columns with a constant default: PostgreSQL writes it into the catalogue, and old processes insert without them.

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

COLUMNS = ("con_segundo_factor", "renueva_tokens", "renovacion_repetida")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("inicio_sesion", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("inicio_sesion", name)
