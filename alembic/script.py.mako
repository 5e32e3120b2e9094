"""${message}

Old processes go on working while this runs and until they are replaced, so a release only expands: new tables, new
columns that may be empty or have a constant default, NOT VALID constraints. What the old code still uses is renamed or
dropped by a later release (contract). Table locks are waited for briefly (alembic/env.py) and held to the end, so
change one busy table a revision; large ones get their indexes CONCURRENTLY and their new values in batches, both in
op.get_context().autocommit_block(). Replace this paragraph by what the revision does to a system that is running.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
