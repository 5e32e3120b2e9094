"""Add the mail outbox and the embedded advisor's knowledge base.

Revision ID: 8a41f2c7e95b
Revises: 5d0e7b83c614
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from maverik_backend.invocation import own_command

revision = "8a41f2c7e95b"
down_revision = "5d0e7b83c614"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correo_saliente",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("asunto", sa.Text, nullable=False),
        sa.Column("carga", sa.Text),
        sa.Column("estado", sa.Text, nullable=False, server_default="pendiente"),
        sa.Column("intentos", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("proximo_intento", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("ultimo_error", sa.Text),
        sa.Column("fecha_creacion", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("fecha_envio", sa.DateTime(timezone=True)),
        sa.CheckConstraint("estado IN ('pendiente', 'enviado', 'fallido')", name=op.f("ck_correo_saliente_estado")),
        sa.CheckConstraint("(estado = 'pendiente') = (carga IS NOT NULL)", name=op.f("ck_correo_saliente_carga")),
    )
    op.create_index(
        "ix_correo_saliente_proximo_intento",
        "correo_saliente",
        ["proximo_intento"],
        postgresql_where=sa.text("estado = 'pendiente'"),
    )
    op.create_table(
        "pasaje",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("articulo", sa.Text, nullable=False),
        sa.Column("titulo", sa.Text, nullable=False),
        sa.Column("orden", sa.SmallInteger, nullable=False),
        sa.Column("texto", sa.Text, nullable=False),
        sa.Column("indice", TSVECTOR, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.UniqueConstraint("articulo", "orden", name=op.f("uq_pasaje_articulo_orden")),
    )
    op.create_index("ix_pasaje_indice", "pasaje", ["indice"], postgresql_using="gin")


def downgrade() -> None:
    _refuse_to_drop_mails()
    op.drop_table("pasaje")
    op.drop_table("correo_saliente")


def _refuse_to_drop_mails() -> None:
    waiting = op.get_bind().scalar(sa.text("SELECT count(*) FROM correo_saliente WHERE estado = 'pendiente'"))
    if waiting:
        deliver = own_command("jobs run")
        raise SystemExit(f"Nothing was changed: {waiting} mails have not left yet; let `{deliver}` send them first.")
