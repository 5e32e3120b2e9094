"""Documents of people, assistants and operators: added, listed, removed.

==============  =======================================================================================================
Rule            Value
==============  =======================================================================================================
Owner           a principal, an assistant, or all; a principal's documents are seen by that principal alone
Documents       at most :data:`MAX_DOCUMENTS` in :data:`MAX_COLLECTIONS` collections of a principal
Size, pages     ``core/documents/limits.py``
Duplicates      the same bytes in the same collection are one document; one that could not be read is read again
Read-only       what ships with the product, for everyone; what is shared or an assistant's, for all but operators
==============  =======================================================================================================
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from maverik_backend.core.documents.refusals import DocumentRefused
from maverik_backend.core.documents.sniffing import MediaType, media_type_of
from maverik_backend.core.security import Keyring
from maverik_backend.errors import FieldError, InvalidInput, NotFound, ReadOnly, TooManyDocuments
from maverik_backend.models import DocumentState
from maverik_backend.services.jobs import enqueue
from maverik_backend.services.knowledge import document_store as store
from maverik_backend.services.knowledge.ingestion import IngestionJob, IngestionPayload
from maverik_backend.services.knowledge.records import Collection, Document, Owner, Scope, Upload
from maverik_backend.texts import documents as texts

MAX_DOCUMENTS = 200
MAX_COLLECTIONS = 20
OWN_SLUG = "documentos"
"""The collection of a principal that names none."""
UPLOAD_FIELD = "archivo"
"""What a refused file is called among the fields of a request."""


def sniff(upload: Upload) -> MediaType:
    """What kind of file it is; before any transaction, since it looks at every byte.

    Raises:
        InvalidInput: with the sentence for people, when it cannot be read.
    """
    try:
        return media_type_of(upload.content, declared=upload.declared_type, file_name=upload.file_name)
    except DocumentRefused as refused:
        raise InvalidInput([FieldError(UPLOAD_FIELD, texts.REFUSALS[refused.refusal])]) from None


def add_document(
    db: Connection, upload: Upload, *, media_type: MediaType, owner: Owner, slug: str, keyring: Keyring
) -> Document:
    """Keep a file and have it read; the collection is made when it is not there.

    Returns the document that is there already when the collection has one of the same bytes.

    Raises:
        TooManyDocuments: when the principal has as many documents, or collections, as it may.
        ReadOnly: when the collection ships with the product.
        NotFound: when the principal was deleted concurrently.
    """
    if owner.principal_id is not None:
        store.lock_principal(db, principal_id=owner.principal_id)
    collection_id = _collection_id(db, owner=owner, slug=slug)
    digest = hashlib.sha256(upload.content).digest()
    document_id = store.find_by_digest(db, collection_id=collection_id, digest=digest)
    if document_id is None:
        if owner.principal_id is not None and store.count_documents(db, owner=owner) >= MAX_DOCUMENTS:
            raise TooManyDocuments
        document_id = store.add_document(
            db,
            coleccion_id=collection_id,
            titulo=upload.title,
            tipo=media_type.value,
            tamano=len(upload.content),
            resumen=digest,
        )
        _have_it_read(db, document_id, upload, owner=owner, keyring=keyring)
    elif _get(db, document_id, owner).state is DocumentState.FAILED:
        store.set_state(db, document_id=document_id, state=DocumentState.PENDING)
        _have_it_read(db, document_id, upload, owner=owner, keyring=keyring)
    return _get(db, document_id, owner)


def get_collections(db: Connection, *, scope: Scope) -> list[Collection]:
    """The collections that are seen in ``scope``, a principal's own first."""
    return store.get_collections(db, scope)


def get_documents(
    db: Connection, *, scope: Scope, limit: int, before: int | None = None
) -> tuple[list[Document], int | None]:
    """A page of documents, newest first, and what ``before`` is for the next page; ``None`` on the last one."""
    page = store.get_page(db, scope=scope, limit=limit + 1, before=before)
    return page[:limit], page[limit - 1].id if len(page) > limit else None


def get_document(db: Connection, *, scope: Scope, document_id: int) -> Document:
    """A document that is seen in ``scope``.

    Raises:
        NotFound: when there is none, or it is another principal's.
    """
    document = store.get_document(db, scope=scope, document_id=document_id)
    if document is None:
        raise NotFound("document")
    return document


def remove_document(db: Connection, *, principal_id: int, document_id: int) -> None:
    """Delete a document of the principal with its passages and vectors.

    Raises:
        NotFound: when there is none, or it is another principal's.
        ReadOnly: when it is in a collection that is shared.
    """
    document = get_document(db, scope=Scope(principal_id=principal_id), document_id=document_id)
    if document.owner.is_shared:
        raise ReadOnly
    store.remove_documents(db, [document_id])


def get_owned(db: Connection, *, owner: Owner, slug: str) -> list[Document]:
    """All documents of an owner's collection, for operators."""
    return store.get_owned(db, owner=owner, slug=slug)


def remove_owned(db: Connection, *, owner: Owner, slug: str, document_ids: tuple[int, ...]) -> tuple[int, ...]:
    """Delete documents of an owner's collection; the ids of those that were in it, for operators.

    Raises:
        ReadOnly: when the collection ships with the product.
    """
    _require_changeable(db, owner=owner, slug=slug)
    there = {document.id for document in store.get_owned(db, owner=owner, slug=slug)}
    removed = tuple(sorted(there.intersection(document_ids)))
    store.remove_documents(db, removed)
    return removed


def _collection_id(db: Connection, *, owner: Owner, slug: str) -> int:
    collection = _require_changeable(db, owner=owner, slug=slug)
    if collection is not None:
        return collection.id
    if owner.principal_id is not None and store.count_collections(db, owner=owner) >= MAX_COLLECTIONS:
        raise TooManyDocuments
    name = texts.OWN_COLLECTION if slug == OWN_SLUG else slug
    return store.add_collection(db, owner=owner, slug=slug, name=name, language="es", version=None)


def _require_changeable(db: Connection, *, owner: Owner, slug: str) -> Collection | None:
    collection = store.get_collection(db, owner=owner, slug=slug)
    if collection is not None and collection.is_shipped:
        raise ReadOnly
    return collection


def _get(db: Connection, document_id: int, owner: Owner) -> Document:
    scope = Scope(principal_id=owner.principal_id, assistant=owner.assistant)
    return get_document(db, scope=scope, document_id=document_id)


def _have_it_read(db: Connection, document_id: int, upload: Upload, *, owner: Owner, keyring: Keyring) -> None:
    store.add_file(db, document_id=document_id, content=upload.content)
    enqueue(
        db,
        IngestionJob,
        IngestionPayload(document_id=document_id),
        keyring=keyring,
        description=f"documento {document_id}",
        subject=f"documento:{document_id}",
        principal_id=owner.principal_id,
    )
