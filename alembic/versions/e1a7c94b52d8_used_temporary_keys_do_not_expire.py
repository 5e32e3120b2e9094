"""Let people in again whose mailed key was used and expired all the same.

Earlier releases kept the end of a mailed key after its first login. From here on ``clave_vence`` is the end of a key
that was never used. Logins through old processes that run beside this release are seen to by the hourly clean-up
(``services/operations/store.py``), with the same question.

Revision ID: e1a7c94b52d8
Revises: c4e8a6f1d273
"""

from __future__ import annotations

from alembic import op

revision = "e1a7c94b52d8"
down_revision = "c4e8a6f1d273"
branch_labels = None
depends_on = None

# The key was used if a login came after it was mailed: what the account was last given, or did, of these three. A merge
# brings the other account's logins along, which tell nothing about this one's key.
LATEST = """
    SELECT e.tipo FROM evento_seguridad AS e
    WHERE e.usuario_id = u.id AND e.tipo IN ('inicio_de_sesion', 'clave_reenviada', 'cuentas_unidas')
    ORDER BY e.id DESC LIMIT 1
"""


def upgrade() -> None:
    op.execute(
        "UPDATE usuario AS u SET clave_vence = NULL "
        f"WHERE u.clave_vence IS NOT NULL AND ({LATEST}) = 'inicio_de_sesion'"
    )


def downgrade() -> None:
    """The earlier release takes such keys as they are: none of its own has no end, so it lets their owners in."""
