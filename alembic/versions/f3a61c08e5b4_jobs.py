"""Make the outbox of mails a table of jobs, of which mails are the first kind.

Every mail becomes a job; triggers make jobs of the mails that processes of the release before still insert, and keep
those processes from taking mails up. A mail that one of them may have under way stays in its table as a copy until its
lease ends, and the job waits for that: what the old process then records of the copy, a trigger records of the job.

Revision ID: f3a61c08e5b4
Revises: e7c15d90b2a4
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from maverik_backend.invocation import own_command

revision = "f3a61c08e5b4"
down_revision = "e7c15d90b2a4"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JOB_COLUMNS = (
    "tipo, descripcion, referencia, carga, estado, intentos, proximo_intento, error, fecha_creacion, fecha_fin"
)
# A mail as a job. Its reference is what the release before derived from its id: the same in every attempt, whichever
# release makes it (the mail's own "uuid", sealed with it, is added to both).
REFERENCE = "'maverik-' || lpad({row}id::text, greatest(10, length({row}id::text)), '0')"
MAIL_AS_JOB = f"""
    'correo', {{row}}asunto, {REFERENCE}, {{row}}carga,
    CASE {{row}}estado WHEN 'enviado' THEN 'hecho' ELSE {{row}}estado END, {{row}}intentos, {{row}}proximo_intento,
    {{row}}ultimo_error, {{row}}fecha_creacion,
    CASE WHEN {{row}}estado <> 'pendiente' THEN coalesce({{row}}fecha_envio, {{row}}fecha_creacion) END
"""
# Claimed and not settled, or waiting to be tried again: the two look the same. Either way nobody may claim it yet.
MAY_BE_RUNNING = "estado = 'pendiente' AND intentos > 0 AND proximo_intento > now()"
NEW_MAIL = f"""
    INSERT INTO trabajo ({JOB_COLUMNS}) SELECT {MAIL_AS_JOB.format(row="NEW.")};
    DELETE FROM correo_saliente WHERE id = NEW.id;
    RETURN NULL;
"""
# Releases before claim by raising ``intentos``: without the row, their UPDATE finds nothing that is due.
CLAIMED_MAIL = """
    IF NEW.intentos > OLD.intentos THEN RETURN NULL; END IF;
    RETURN NEW;
"""
SETTLED_MAIL = f"""
    UPDATE trabajo SET
        estado = CASE NEW.estado WHEN 'enviado' THEN 'hecho' ELSE NEW.estado END,
        carga = CASE NEW.estado WHEN 'enviado' THEN NULL ELSE trabajo.carga END,
        proximo_intento = NEW.proximo_intento,
        error = NEW.ultimo_error,
        fecha_fin = CASE WHEN NEW.estado <> 'pendiente' THEN now() END
    WHERE tipo = 'correo' AND referencia = {REFERENCE.format(row="NEW.")}
        AND estado = 'pendiente' AND intentos = NEW.intentos AND vence IS NULL;
    DELETE FROM correo_saliente WHERE id = NEW.id;
    RETURN NULL;
"""
TRIGGERS = {
    "correo_saliente_trabajo_alta": ("AFTER INSERT", NEW_MAIL),
    "correo_saliente_trabajo_toma": ("BEFORE UPDATE", CLAIMED_MAIL),
    "correo_saliente_trabajo_fin": ("AFTER UPDATE", SETTLED_MAIL),
}


def upgrade() -> None:
    op.create_table(
        "trabajo",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("tipo", sa.Text, nullable=False),
        sa.Column("sujeto", sa.Text),
        sa.Column("principal_id", sa.BigInteger),
        sa.Column("descripcion", sa.Text, nullable=False, server_default=""),
        sa.Column("referencia", sa.Text, nullable=False),
        sa.Column("carga", sa.Text),
        sa.Column("estado", sa.Text, nullable=False, server_default="pendiente"),
        sa.Column("intentos", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("proximo_intento", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("vence", TIME),
        sa.Column("proceso", sa.Uuid),
        sa.Column("error", sa.Text),
        sa.Column("fecha_creacion", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("fecha_fin", TIME),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principal.id"], name=op.f("fk_trabajo_principal"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("estado IN ('pendiente', 'hecho', 'fallido', 'descartado')", name=op.f("ck_trabajo_estado")),
        sa.CheckConstraint(
            "estado = 'fallido' OR (estado = 'pendiente') = (carga IS NOT NULL)", name=op.f("ck_trabajo_carga")
        ),
        sa.CheckConstraint("(vence IS NULL) = (proceso IS NULL)", name=op.f("ck_trabajo_vence")),
        sa.CheckConstraint("(fecha_fin IS NULL) = (estado = 'pendiente')", name=op.f("ck_trabajo_fecha_fin")),
    )
    _create_index("ix_trabajo_tipo_proximo_intento_id", "tipo", "proximo_intento", "id", where="estado = 'pendiente'")
    _create_index("ix_trabajo_sujeto_id", "sujeto", "id", where="estado = 'pendiente' AND sujeto IS NOT NULL")
    _create_index("ix_trabajo_abierto", "tipo", where="estado IN ('pendiente', 'fallido')")
    _create_index("ix_trabajo_principal_id_id", "principal_id", "id", where="principal_id IS NOT NULL")
    # The triggers come first: creating one waits for transactions that write mails, and makes later ones wait.
    for name, (event, body) in TRIGGERS.items():
        _create_trigger(name, event, body)
    op.execute(
        f"INSERT INTO trabajo ({JOB_COLUMNS}) SELECT {MAIL_AS_JOB.format(row='')} FROM correo_saliente ORDER BY id"
    )
    op.execute(f"DELETE FROM correo_saliente WHERE NOT ({MAY_BE_RUNNING})")


def downgrade() -> None:
    """Make mails of the jobs again. Dead and discarded ones lose their content: the table before keeps none of them."""
    _refuse_to_drop_jobs()
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON correo_saliente")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DELETE FROM correo_saliente")  # copies of jobs
    _put_back("OVERRIDING SYSTEM VALUE", "right(referencia, -8)::bigint", where="~")
    _put_back("", None, where="!~")
    op.drop_table("trabajo")


def _put_back(overriding: str, number: str | None, *, where: str) -> None:
    """Insert the mails whose reference is, or is not, the number that they had in the table before."""
    columns = "asunto, carga, estado, intentos, proximo_intento, ultimo_error, fecha_creacion, fecha_envio"
    values = """
        descripcion, CASE estado WHEN 'pendiente' THEN carga END,
        CASE estado WHEN 'hecho' THEN 'enviado' WHEN 'descartado' THEN 'fallido' ELSE estado END,
        least(intentos, 32766), greatest(proximo_intento, vence), error, fecha_creacion,
        CASE estado WHEN 'hecho' THEN fecha_fin END
    """
    if number is not None:
        columns, values = f"id, {columns}", f"{number}, {values}"
    op.execute(
        f"INSERT INTO correo_saliente ({columns}) {overriding} SELECT {values} FROM trabajo "
        f"WHERE referencia {where} '^maverik-[0-9]{{10,18}}$' ORDER BY id"
    )


def _create_index(name: str, *columns: str, where: str) -> None:
    op.create_index(name, "trabajo", list(columns), postgresql_where=sa.text(where))


def _create_trigger(name: str, event: str, body: str) -> None:
    # The search path is pinned, as in e7c15d90b2a4.
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT "
        f"AS $$ BEGIN {body} END $$"
    )
    op.execute(f"CREATE TRIGGER {name} {event} ON correo_saliente FOR EACH ROW EXECUTE FUNCTION {name}()")


def _refuse_to_drop_jobs() -> None:
    waiting = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM trabajo WHERE estado = 'pendiente' AND tipo <> 'correo'")
    )
    if waiting:
        run = own_command("jobs run")
        raise SystemExit(
            f"Nothing was changed: {waiting} jobs that are no mails have not been done yet; let `{run}` do them first, "
            f"or discard them."
        )
