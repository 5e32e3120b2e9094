"""Documents and what reads them, made for tests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.security import Keyring
from maverik_backend.services import knowledge
from maverik_backend.services.knowledge import Document, DocumentSearch, FoundPassage, Owner, Scope, Upload

_PERSON = "INSERT INTO usuario (email, clave_hash) VALUES (:email, 'x') RETURNING id"


def add_person(connection: Connection, email: str) -> int:
    """The id of a person who has nothing yet."""
    person: int = connection.execute(text(_PERSON), {"email": email}).scalar_one()
    return person


def add(
    database: Database,
    content: bytes | str,
    *,
    keyring: Keyring,
    owner: Owner,
    slug: str = "documentos",
    title: str = "Un documento",
    **declared: Any,
) -> Document:
    """Upload a document; a job is to read it."""
    upload = Upload(content=content if isinstance(content, bytes) else content.encode(), title=title, **declared)
    media_type = knowledge.sniff(upload)
    with database.transaction() as db:
        return knowledge.add_document(db, upload, media_type=media_type, owner=owner, slug=slug, keyring=keyring)


def state_of(database: Database, document: Document, scope: Scope) -> Document:
    """The document as it is now."""
    with database.transaction() as db:
        return knowledge.get_document(db, scope=scope, document_id=document.id)


def find(search: DocumentSearch, question: str, scope: Scope, *, limit: int = 5) -> list[FoundPassage]:
    return search(question, scope=scope, limit=limit, deadline=Deadline.after(60))
