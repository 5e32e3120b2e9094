"""The embedded advisor's articles, cut into passages and indexed for Spanish full-text search."""

from __future__ import annotations

from sqlalchemy import Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
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
