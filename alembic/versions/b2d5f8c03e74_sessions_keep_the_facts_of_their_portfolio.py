"""Sessions keep the facts that their latest portfolio was made for.

So another one is given when they change. Null for portfolios of releases before: the next advice gives one for the
facts as
they are. Processes of older releases neither read nor write the column.

Revision ID: b2d5f8c03e74
Revises: a4d81f6c29e3
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b2d5f8c03e74"
down_revision = "a4d81f6c29e3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sesion_asesoria", sa.Column("portafolio_hechos", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("sesion_asesoria", "portafolio_hechos")
