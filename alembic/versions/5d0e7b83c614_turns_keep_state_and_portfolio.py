"""Give turns a state, a time and a portfolio; sessions a title; searched foreign keys an index.

Revision ID: 5d0e7b83c614
Revises: 3f6c1a9d2b40
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "5d0e7b83c614"
down_revision = "3f6c1a9d2b40"
branch_labels = None
depends_on = None

SESSION = "sesion_asesoria"
TURN = "sesion_asesoria_detalle"
OLD_TEXT_LIMIT = 8000


def upgrade() -> None:
    op.execute(f"UPDATE {SESSION} SET proposito_sesion_id = 1 WHERE proposito_sesion_id IS NULL")
    op.alter_column(SESSION, "proposito_sesion_id", nullable=False)
    op.add_column(SESSION, sa.Column("titulo", sa.Text))
    op.create_index("ix_sesion_asesoria_usuario_id_id", SESSION, ["usuario_id", "id"])
    op.alter_column(TURN, "texto_usuario", type_=sa.Text)
    op.alter_column(TURN, "texto_sistema", type_=sa.Text, nullable=True)
    # Turns that exist were answered, at a time that nobody wrote down; new ones start as pending, now.
    op.add_column(TURN, sa.Column("estado", sa.Text, nullable=False, server_default="completada"))
    op.alter_column(TURN, "estado", server_default="pendiente")
    # An empty answer is none: what a downgrade left of a turn that was waiting for one.
    op.execute(f"UPDATE {TURN} SET estado = 'pendiente', texto_sistema = NULL WHERE texto_sistema = ''")
    op.add_column(TURN, sa.Column("fecha_creacion", sa.DateTime(timezone=True)))
    op.alter_column(TURN, "fecha_creacion", server_default=sa.func.now())
    op.add_column(TURN, sa.Column("fecha_respuesta", sa.DateTime(timezone=True)))
    op.add_column(TURN, sa.Column("origen", sa.Text))
    op.add_column(TURN, sa.Column("error", sa.Text))
    op.add_column(TURN, sa.Column("portafolio", JSONB))
    op.add_column(TURN, sa.Column("fuentes", JSONB))
    op.create_check_constraint(op.f(f"ck_{TURN}_estado"), TURN, "estado IN ('pendiente', 'completada', 'respaldo')")
    op.create_check_constraint(op.f(f"ck_{TURN}_respondida"), TURN, "estado = 'pendiente' OR texto_sistema IS NOT NULL")
    op.create_index("ix_sesion_asesoria_detalle_sesion_asesoria_id_id", TURN, ["sesion_asesoria_id", "id"])


def downgrade() -> None:
    _refuse_to_cut_texts()
    op.drop_index("ix_sesion_asesoria_detalle_sesion_asesoria_id_id", TURN)
    op.drop_constraint(op.f(f"ck_{TURN}_respondida"), TURN)
    op.drop_constraint(op.f(f"ck_{TURN}_estado"), TURN)
    for column in ("fuentes", "portafolio", "error", "origen", "fecha_respuesta", "fecha_creacion", "estado"):
        op.drop_column(TURN, column)
    op.execute(f"UPDATE {TURN} SET texto_sistema = '' WHERE texto_sistema IS NULL")
    op.alter_column(TURN, "texto_sistema", type_=sa.String(OLD_TEXT_LIMIT), nullable=False)
    op.alter_column(TURN, "texto_usuario", type_=sa.String(OLD_TEXT_LIMIT))
    op.drop_index("ix_sesion_asesoria_usuario_id_id", SESSION)
    op.drop_column(SESSION, "titulo")
    op.alter_column(SESSION, "proposito_sesion_id", nullable=True)


def _refuse_to_cut_texts() -> None:
    too_long = op.get_bind().scalar(
        sa.text(f"SELECT count(*) FROM {TURN} WHERE length(texto_sistema) > :most OR length(texto_usuario) > :most"),
        {"most": OLD_TEXT_LIMIT},
    )
    if too_long:
        raise SystemExit(
            f"Nothing was changed: {too_long} turns are longer than the {OLD_TEXT_LIMIT} characters of the old tables."
        )
