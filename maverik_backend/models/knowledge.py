"""The embedded advisor's articles, and collections of documents, cut into passages and indexed for full-text search."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from maverik_backend.models.base import Base, BigIdMixin


class Pasaje(BigIdMixin, Base):
    """One passage of an article.

    ``indice`` weighs the title (A), the article's topics (B) and the passage (D), all with accents folded.
    ``version`` is the digest of the whole knowledge base that the row was made from.
    """

    __tablename__ = "pasaje"
    __table_args__ = (
        UniqueConstraint("articulo", "orden"),
        Index(None, "indice", postgresql_using="gin"),
    )

    articulo: Mapped[str] = mapped_column(Text)
    titulo: Mapped[str] = mapped_column(Text)
    orden: Mapped[int] = mapped_column(SmallInteger)
    texto: Mapped[str] = mapped_column(Text)
    indice: Mapped[str] = mapped_column(TSVECTOR)
    version: Mapped[str] = mapped_column(Text)


class DocumentState(StrEnum):
    """How far a document has come. Only passages of *listo* are found."""

    PENDING = "pendiente"
    PROCESSING = "procesando"
    READY = "listo"
    FAILED = "error"


class Coleccion(BigIdMixin, Base):
    """A collection of documents: of a principal, of an assistant (``asistente`` is its slug), or shared by all.

    ``idioma`` chooses the stemmer. ``version`` is the digest of what ships with the product, and makes a collection
    read-only; NULL in all others.
    """

    __tablename__ = "coleccion"
    __table_args__ = (
        Index(
            "uq_coleccion_slug",
            "slug",
            unique=True,
            postgresql_where=text("principal_id IS NULL AND asistente IS NULL"),
        ),
        Index(
            "uq_coleccion_principal_id_slug",
            "principal_id",
            "slug",
            unique=True,
            postgresql_where=text("principal_id IS NOT NULL"),
        ),
        Index(
            "uq_coleccion_asistente_slug",
            "asistente",
            "slug",
            unique=True,
            postgresql_where=text("asistente IS NOT NULL"),
        ),
        CheckConstraint("asistente IS NULL OR principal_id IS NULL", name="asistente"),
        CheckConstraint("idioma IN ('es', 'en', 'pt')", name="idioma"),
    )

    slug: Mapped[str] = mapped_column(Text)
    nombre: Mapped[str] = mapped_column(Text)
    principal_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("principal.id", ondelete="CASCADE"))
    asistente: Mapped[str | None] = mapped_column(Text)
    idioma: Mapped[str] = mapped_column(Text, server_default="es")
    version: Mapped[str | None] = mapped_column(Text)
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())


class Documento(BigIdMixin, Base):
    """One document. ``tipo`` is its media type as found in its bytes, ``resumen`` their SHA-256.

    ``paginas`` is NULL until it is known, and for what has no pages; ``paginas_hechas`` grows while they are read.
    ``error`` is a Spanish sentence. ``referencia`` names a shipped article.
    """

    __tablename__ = "documento"
    __table_args__ = (
        Index(None, "coleccion_id", "id"),
        Index("uq_documento_coleccion_id_resumen", "coleccion_id", "resumen", unique=True),
        CheckConstraint("estado IN ('pendiente', 'procesando', 'listo', 'error')", name="estado"),
        CheckConstraint("(estado = 'error') = (error IS NOT NULL)", name="error"),
    )

    coleccion_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("coleccion.id", ondelete="CASCADE"))
    titulo: Mapped[str] = mapped_column(Text)
    tipo: Mapped[str] = mapped_column(Text)
    tamano: Mapped[int] = mapped_column(BigInteger)
    resumen: Mapped[bytes] = mapped_column(LargeBinary)
    referencia: Mapped[str | None] = mapped_column(Text)
    estado: Mapped[str] = mapped_column(Text, server_default=DocumentState.PENDING.value)
    error: Mapped[str | None] = mapped_column(Text)
    paginas: Mapped[int | None] = mapped_column(Integer)
    paginas_hechas: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    pasajes: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    fecha_creacion: Mapped[datetime] = mapped_column(server_default=func.now())
    fecha_actualizacion: Mapped[datetime] = mapped_column(server_default=func.now())


class DocumentoArchivo(BigIdMixin, Base):
    """The bytes of a document that waits to be read; deleted once its passages are there, or it cannot be read."""

    __tablename__ = "documento_archivo"
    __table_args__ = (Index("uq_documento_archivo_documento_id", "documento_id", unique=True),)

    documento_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("documento.id", ondelete="CASCADE"))
    contenido: Mapped[bytes] = mapped_column(LargeBinary)


class DocumentoPasaje(BigIdMixin, Base):
    """A passage of a document: ``orden`` from 1, ``ruta`` the headings above it, pages from 1 where there are any.

    ``indice`` weighs the title (A), the headings or topics (B) and the text (D), all with accents folded.
    """

    __tablename__ = "documento_pasaje"
    __table_args__ = (
        Index("uq_documento_pasaje_documento_id_orden", "documento_id", "orden", unique=True),
        Index(None, "coleccion_id", "id"),
        # Without a list of pending entries, which every search would read through.
        Index(None, "indice", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    documento_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("documento.id", ondelete="CASCADE"))
    coleccion_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("coleccion.id", ondelete="CASCADE"))
    orden: Mapped[int] = mapped_column(Integer)
    ruta: Mapped[list[str]] = mapped_column(ARRAY(Text))
    pagina_desde: Mapped[int | None] = mapped_column(Integer)
    pagina_hasta: Mapped[int | None] = mapped_column(Integer)
    texto: Mapped[str] = mapped_column(Text)
    indice: Mapped[str] = mapped_column(TSVECTOR)


class ModeloVectores(Base):
    """A model that made vectors, by its name (``provider:model``) and the length of what it makes."""

    __tablename__ = "modelo_vectores"
    __table_args__ = (UniqueConstraint("nombre", "dimensiones"),)

    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    nombre: Mapped[str] = mapped_column(Text)
    dimensiones: Mapped[int] = mapped_column(Integer)


class PasajeVector(BigIdMixin, Base):
    """The vector of a passage. ``es_compartido``: the collection is no principal's, and HNSW indexes hold the row.

    An array of numbers, so that the table is the same with and without pgvector; searching casts it. HNSW indexes are
    made when a model is first used (``services/knowledge/vector_store.py``), where the extension is there.
    """

    __tablename__ = "pasaje_vector"
    __table_args__ = (
        Index("uq_pasaje_vector_pasaje_id_modelo_id", "pasaje_id", "modelo_id", unique=True),
        Index(None, "coleccion_id", "modelo_id"),
    )

    pasaje_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("documento_pasaje.id", ondelete="CASCADE"))
    coleccion_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("coleccion.id", ondelete="CASCADE"))
    modelo_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("modelo_vectores.id"))
    es_compartido: Mapped[bool]
    valores: Mapped[list[float]] = mapped_column(ARRAY(REAL))
