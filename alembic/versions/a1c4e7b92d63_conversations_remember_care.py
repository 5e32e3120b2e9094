"""Conversations remember that a person told of danger or trouble.

``conversacion.cuidado`` holds the kind (``services/safety/care.py``), null for all but few. Processes of older releases
neither read nor write it.

Revision ID: a1c4e7b92d63
Revises: f3a61c08e5b4
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a1c4e7b92d63"
down_revision = "f3a61c08e5b4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversacion", sa.Column("cuidado", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("conversacion", "cuidado")
