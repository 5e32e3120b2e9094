"""Keep collections of documents, their passages and vectors, and where turns cite them.

Vectors are arrays of numbers, so the tables are the same everywhere. pgvector searches them where it can be had: the
extension is made when it is available and this role may; without it, search is by words alone.

Processes of the release before erase accounts without knowing these tables: their rows go with the principal.

Revision ID: a4d81f6c29e3
Revises: a1c4e7b92d63
"""

from __future__ import annotations

import sys

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TSVECTOR
from sqlalchemy.exc import DBAPIError

revision = "a4d81f6c29e3"
down_revision = "a1c4e7b92d63"
branch_labels = None
depends_on = None

TURN = "sesion_asesoria_detalle"
TIME = sa.DateTime(timezone=True)
IS_AVAILABLE = "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector' AND installed_version IS NULL"
UPLOADED = "SELECT count(*) FROM documento d JOIN coleccion c ON c.id = d.coleccion_id WHERE c.version IS NULL"
NO_VECTORS = (
    "pgvector is available, but this role may not create the extension: documents are searched by words alone until "
    "an administrator runs CREATE EXTENSION vector in this database.\n"
)


def upgrade() -> None:
    _create_extension()
    _create_collections()
    _create_documents()
    _create_passages()
    _create_vectors()
    op.add_column(TURN, sa.Column("citas", JSONB))


def downgrade() -> None:
    """The extension stays: other tables of the database may use it."""
    if count := op.get_bind().scalar(sa.text(UPLOADED)):
        raise SystemExit(f"Nothing was changed: {count} documents would be lost; remove them first.")
    op.drop_column(TURN, "citas")
    for table in (
        "pasaje_vector",
        "modelo_vectores",
        "documento_pasaje",
        "documento_archivo",
        "documento",
        "coleccion",
    ):
        op.drop_table(table)


def _create_extension() -> None:
    connection = op.get_bind()
    if not connection.scalar(sa.text(IS_AVAILABLE)):
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION vector"))
    except DBAPIError:
        sys.stderr.write(NO_VECTORS)


def _create_collections() -> None:
    op.create_table(
        "coleccion",
        _id(),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("nombre", sa.Text, nullable=False),
        sa.Column("principal_id", sa.BigInteger),
        sa.Column("asistente", sa.Text),
        sa.Column("idioma", sa.Text, nullable=False, server_default="es"),
        sa.Column("version", sa.Text),
        _now("fecha_creacion"),
        _refers("coleccion", "principal_id", "principal"),
        sa.CheckConstraint("asistente IS NULL OR principal_id IS NULL", name=op.f("ck_coleccion_asistente")),
        sa.CheckConstraint("idioma IN ('es', 'en', 'pt')", name=op.f("ck_coleccion_idioma")),
    )
    for columns, where in (
        (("slug",), "principal_id IS NULL AND asistente IS NULL"),
        (("principal_id", "slug"), "principal_id IS NOT NULL"),
        (("asistente", "slug"), "asistente IS NOT NULL"),
    ):
        name = f"uq_coleccion_{'_'.join(columns)}"
        op.create_index(name, "coleccion", list(columns), unique=True, postgresql_where=sa.text(where))


def _create_documents() -> None:
    op.create_table(
        "documento",
        _id(),
        sa.Column("coleccion_id", sa.BigInteger, nullable=False),
        sa.Column("titulo", sa.Text, nullable=False),
        sa.Column("tipo", sa.Text, nullable=False),
        sa.Column("tamano", sa.BigInteger, nullable=False),
        sa.Column("resumen", sa.LargeBinary, nullable=False),
        sa.Column("referencia", sa.Text),
        sa.Column("estado", sa.Text, nullable=False, server_default="pendiente"),
        sa.Column("error", sa.Text),
        sa.Column("paginas", sa.Integer),
        _zero("paginas_hechas"),
        _zero("pasajes"),
        _now("fecha_creacion"),
        _now("fecha_actualizacion"),
        _refers("documento", "coleccion_id", "coleccion"),
        sa.CheckConstraint("estado IN ('pendiente', 'procesando', 'listo', 'error')", name=op.f("ck_documento_estado")),
        sa.CheckConstraint("(estado = 'error') = (error IS NOT NULL)", name=op.f("ck_documento_error")),
    )
    op.create_index("ix_documento_coleccion_id_id", "documento", ["coleccion_id", "id"])
    op.create_index("uq_documento_coleccion_id_resumen", "documento", ["coleccion_id", "resumen"], unique=True)
    op.create_table(
        "documento_archivo",
        _id(),
        sa.Column("documento_id", sa.BigInteger, nullable=False),
        sa.Column("contenido", sa.LargeBinary, nullable=False),
        _refers("documento_archivo", "documento_id", "documento"),
    )
    op.create_index("uq_documento_archivo_documento_id", "documento_archivo", ["documento_id"], unique=True)
    # Files are compressed by themselves.
    op.execute("ALTER TABLE documento_archivo ALTER COLUMN contenido SET STORAGE EXTERNAL")


def _create_passages() -> None:
    op.create_table(
        "documento_pasaje",
        _id(),
        sa.Column("documento_id", sa.BigInteger, nullable=False),
        sa.Column("coleccion_id", sa.BigInteger, nullable=False),
        sa.Column("orden", sa.Integer, nullable=False),
        sa.Column("ruta", ARRAY(sa.Text), nullable=False),
        sa.Column("pagina_desde", sa.Integer),
        sa.Column("pagina_hasta", sa.Integer),
        sa.Column("texto", sa.Text, nullable=False),
        sa.Column("indice", TSVECTOR, nullable=False),
        _refers("documento_pasaje", "documento_id", "documento"),
        _refers("documento_pasaje", "coleccion_id", "coleccion"),
    )
    op.create_index(
        "uq_documento_pasaje_documento_id_orden", "documento_pasaje", ["documento_id", "orden"], unique=True
    )
    op.create_index("ix_documento_pasaje_coleccion_id_id", "documento_pasaje", ["coleccion_id", "id"])
    op.create_index(
        "ix_documento_pasaje_indice",
        "documento_pasaje",
        ["indice"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )


def _create_vectors() -> None:
    op.create_table(
        "modelo_vectores",
        sa.Column("id", sa.SmallInteger, sa.Identity(), primary_key=True),
        sa.Column("nombre", sa.Text, nullable=False),
        sa.Column("dimensiones", sa.Integer, nullable=False),
        sa.UniqueConstraint("nombre", "dimensiones", name=op.f("uq_modelo_vectores_nombre_dimensiones")),
    )
    op.create_table(
        "pasaje_vector",
        _id(),
        sa.Column("pasaje_id", sa.BigInteger, nullable=False),
        sa.Column("coleccion_id", sa.BigInteger, nullable=False),
        sa.Column("modelo_id", sa.SmallInteger, nullable=False),
        sa.Column("es_compartido", sa.Boolean, nullable=False),
        sa.Column("valores", ARRAY(REAL), nullable=False),
        _refers("pasaje_vector", "pasaje_id", "documento_pasaje"),
        _refers("pasaje_vector", "coleccion_id", "coleccion"),
        sa.ForeignKeyConstraint(["modelo_id"], ["modelo_vectores.id"], name=op.f("fk_pasaje_vector_modelo_vectores")),
    )
    op.create_index("uq_pasaje_vector_pasaje_id_modelo_id", "pasaje_vector", ["pasaje_id", "modelo_id"], unique=True)
    op.create_index("ix_pasaje_vector_coleccion_id_modelo_id", "pasaje_vector", ["coleccion_id", "modelo_id"])
    # Numbers without a pattern: compressing them takes time and gains nothing.
    op.execute("ALTER TABLE pasaje_vector ALTER COLUMN valores SET STORAGE EXTERNAL")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def _zero(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"))


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=False, server_default=sa.func.now())


def _refers(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{parent}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")
