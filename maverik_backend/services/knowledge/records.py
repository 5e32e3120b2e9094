"""Collections, documents and passages as services hand them around."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maverik_backend.models import DocumentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a collection is: a principal's, an assistant's (by its slug), or with neither shared by all."""

    principal_id: int | None = None
    assistant: str | None = None

    @property
    def is_shared(self) -> bool:
        """Whether it is no principal's: its vectors are found through an index instead of one by one."""
        return self.principal_id is None


SHARED = Owner()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which collections are searched: of those shared, the principal's and the assistant's, the ones of ``slugs``.

    ``slugs`` of ``None`` means all of them.
    """

    principal_id: int | None = None
    assistant: str | None = None
    slugs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection of documents. ``is_shipped``: its documents come with the product and cannot be changed."""

    id: int
    slug: str
    name: str
    owner: Owner
    language: str
    is_shipped: bool
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedCollection:
    """A collection that a search looks into, with how many passages it has."""

    id: int
    language: str
    is_shared: bool
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it was sent. ``declared_type`` and ``file_name`` are what the client says of it."""

    content: bytes
    title: str
    declared_type: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document. ``error`` is a Spanish sentence; ``pages`` is ``None`` until it is known, and for what has none."""

    id: int
    collection: str
    title: str
    media_type: str
    size_bytes: int
    state: DocumentState
    error: str | None
    pages: int | None
    pages_done: int
    passages: int
    created: datetime
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPassage:
    """A passage that was found, with what a citation of it says.

    ``score`` is the sum of reciprocal ranks: comparable within one search only. ``reference`` names a shipped article.
    """

    passage_id: int
    document_id: int
    title: str
    headings: tuple[str, ...]
    first_page: int | None
    last_page: int | None
    text: str
    score: float
    reference: str | None = None
