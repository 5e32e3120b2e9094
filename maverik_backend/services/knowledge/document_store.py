"""SQL of collections, documents and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from maverik_backend.errors import NotFound
from maverik_backend.models import Coleccion, Documento, DocumentoArchivo, DocumentoPasaje, DocumentState, Principal
from maverik_backend.services.knowledge.records import Collection, Document, Owner, Scope, SearchedCollection

_DOCUMENT = (
    Documento.id,
    Coleccion.slug,
    Documento.titulo,
    Documento.tipo,
    Documento.tamano,
    Documento.estado,
    Documento.error,
    Documento.paginas,
    Documento.paginas_hechas,
    Documento.pasajes,
    Documento.fecha_creacion,
    Coleccion.principal_id,
    Coleccion.asistente,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """What storing the passages of a document needs of it."""

    collection_id: int
    language: str
    title: str


def owned_by(owner: Owner) -> ColumnElement[bool]:
    """That a collection is exactly this owner's."""
    return and_(
        Coleccion.principal_id.is_not_distinct_from(owner.principal_id),
        Coleccion.asistente.is_not_distinct_from(owner.assistant),
    )


def visible_in(scope: Scope) -> ColumnElement[bool]:
    """That a collection is one of ``scope``."""
    shared = and_(Coleccion.principal_id.is_(None), Coleccion.asistente.is_(None))
    owners = [shared]
    if scope.principal_id is not None:
        owners.append(Coleccion.principal_id == scope.principal_id)
    if scope.assistant is not None:
        owners.append(Coleccion.asistente == scope.assistant)
    return or_(*owners) if scope.slugs is None else and_(or_(*owners), Coleccion.slug.in_(scope.slugs))


def lock_principal(db: Connection, *, principal_id: int) -> None:
    """Let no other transaction add a document or collection of the principal until this one ends.

    Raises:
        NotFound: when the principal was deleted concurrently.
    """
    query = select(Principal.id).where(Principal.id == principal_id).with_for_update(key_share=True)
    if db.execute(query).one_or_none() is None:
        raise NotFound("principal")


def get_searched(db: Connection, scope: Scope) -> list[SearchedCollection]:
    """The collections of ``scope`` that have passages."""
    passages = func.sum(Documento.pasajes)
    query = (
        select(Coleccion.id, Coleccion.idioma, Coleccion.principal_id, passages)
        .join(Documento)
        .where(visible_in(scope))
        .group_by(Coleccion.id)
        .having(passages > 0)
    )
    return [
        SearchedCollection(id=row[0], language=row[1], is_shared=row[2] is None, passages=row[3])
        for row in db.execute(query)
    ]


def get_collections(db: Connection, scope: Scope) -> list[Collection]:
    """The collections of ``scope``, a principal's own first."""
    count = select(func.count()).where(Documento.coleccion_id == Coleccion.id).scalar_subquery()
    query = (
        select(Coleccion, count.label("documents"))
        .where(visible_in(scope))
        .order_by(Coleccion.principal_id.is_(None), Coleccion.slug)
    )
    return [_collection(row) for row in db.execute(query)]


def get_collection(db: Connection, *, owner: Owner, slug: str) -> Collection | None:
    """The owner's collection of that slug."""
    query = select(Coleccion, text("0 AS documents")).where(owned_by(owner), Coleccion.slug == slug)
    row = db.execute(query).one_or_none()
    return None if row is None else _collection(row)


def add_collection(db: Connection, *, owner: Owner, slug: str, name: str, language: str, version: str | None) -> int:
    """Insert a collection unless it is there; its id either way."""
    values = {
        "slug": slug,
        "nombre": name,
        "principal_id": owner.principal_id,
        "asistente": owner.assistant,
        "idioma": language,
        "version": version,
    }
    db.execute(upsert(Coleccion).values(values).on_conflict_do_nothing())
    query = select(Coleccion.id).where(owned_by(owner), Coleccion.slug == slug)
    return db.execute(query).scalar_one()


def set_version(db: Connection, *, collection_id: int, version: str) -> None:
    db.execute(update(Coleccion).where(Coleccion.id == collection_id).values(version=version))


def get_version(db: Connection, *, slug: str) -> str | None:
    """The version of a shipped collection; ``None`` when it is not there."""
    query = select(Coleccion.version).where(
        Coleccion.slug == slug, Coleccion.principal_id.is_(None), Coleccion.asistente.is_(None)
    )
    return db.scalar(query)


def count_collections(db: Connection, *, owner: Owner) -> int:
    return db.scalar(select(func.count()).select_from(Coleccion).where(owned_by(owner))) or 0


def count_documents(db: Connection, *, owner: Owner) -> int:
    query = select(func.count()).select_from(Documento).join(Coleccion).where(owned_by(owner))
    return db.scalar(query) or 0


def find_by_digest(db: Connection, *, collection_id: int, digest: bytes) -> int | None:
    """The id of the collection's document with these bytes."""
    return db.scalar(select(Documento.id).where(Documento.coleccion_id == collection_id, Documento.resumen == digest))


def add_document(db: Connection, **values: Any) -> int:  # noqa: ANN401 - columns of the table
    """Insert a document; its id."""
    return db.execute(insert(Documento).values(values).returning(Documento.id)).scalar_one()


def add_file(db: Connection, *, document_id: int, content: bytes) -> None:
    """Keep the bytes of a document until it is read."""
    statement = upsert(DocumentoArchivo).values(documento_id=document_id, contenido=content)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["documento_id"], set_={"contenido": statement.excluded.contenido}
        )
    )


def get_file(db: Connection, *, document_id: int) -> tuple[bytes, str] | None:
    """The bytes of a document that waits to be read, and its media type."""
    query = (
        select(DocumentoArchivo.contenido, Documento.tipo)
        .join(Documento, Documento.id == DocumentoArchivo.documento_id)
        .where(Documento.id == document_id, Documento.estado != DocumentState.READY.value)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else (bytes(row.contenido), row.tipo)


def set_state(db: Connection, *, document_id: int, state: DocumentState, **values: Any) -> bool:  # noqa: ANN401
    """Write down how far a document has come; whether it is there."""
    statement = update(Documento).where(Documento.id == document_id)
    values |= {"estado": state.value, "fecha_actualizacion": func.now()}
    values.setdefault("error", None)
    return db.execute(statement.values(values).returning(Documento.id)).one_or_none() is not None


def lock_document(db: Connection, *, document_id: int) -> StoredDocument | None:
    """A document that is not read yet; nothing else changes or removes it until the transaction ends."""
    query = (
        select(Documento.coleccion_id, Coleccion.idioma, Documento.titulo)
        .join(Coleccion)
        .where(Documento.id == document_id, Documento.estado != DocumentState.READY.value)
        .with_for_update(of=Documento)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else StoredDocument(collection_id=row[0], language=row[1], title=row[2])


def drop_file(db: Connection, *, document_id: int) -> None:
    db.execute(delete(DocumentoArchivo).where(DocumentoArchivo.documento_id == document_id))


def get_document(db: Connection, *, scope: Scope, document_id: int) -> Document | None:
    """The document, if its collection is one of ``scope``."""
    query = _documents(scope).where(Documento.id == document_id)
    row = db.execute(query).one_or_none()
    return None if row is None else _document(row)


def get_page(db: Connection, *, scope: Scope, limit: int, before: int | None) -> list[Document]:
    """The newest documents of ``scope`` below the id ``before``."""
    query = _documents(scope).order_by(Documento.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Documento.id < before)
    return [_document(row) for row in db.execute(query)]


def get_owned(db: Connection, *, owner: Owner, slug: str) -> list[Document]:
    """All documents of an owner's collection, the oldest first."""
    query = select(*_DOCUMENT).join(Coleccion).where(owned_by(owner), Coleccion.slug == slug).order_by(Documento.id)
    return [_document(row) for row in db.execute(query)]


def remove_documents(db: Connection, document_ids: Sequence[int]) -> int:
    """Delete documents; their files, passages and vectors go with them; how many there were."""
    return len(db.execute(delete(Documento).where(Documento.id.in_(document_ids)).returning(Documento.id)).all())


def remove_passages(db: Connection, *, document_id: int) -> None:
    """Delete what an earlier attempt at reading a document left."""
    db.execute(delete(DocumentoPasaje).where(DocumentoPasaje.documento_id == document_id))


def empty_collection(db: Connection, *, collection_id: int) -> None:
    """Delete the documents of a collection."""
    db.execute(delete(Documento).where(Documento.coleccion_id == collection_id))


def _documents(scope: Scope) -> Select[Any]:
    documents = select(*_DOCUMENT).join(Coleccion, Coleccion.id == Documento.coleccion_id)
    return cast("Select[Any]", documents.where(visible_in(scope)))


def _collection(row: Any) -> Collection:  # noqa: ANN401 - a row of get_collections
    return Collection(
        id=row.id,
        slug=row.slug,
        name=row.nombre,
        owner=Owner(principal_id=row.principal_id, assistant=row.asistente),
        language=row.idioma,
        is_shipped=row.version is not None,
        documents=row.documents,
    )


def _document(row: Any) -> Document:  # noqa: ANN401 - a row of _DOCUMENT
    return Document(
        id=row.id,
        collection=row.slug,
        title=row.titulo,
        media_type=row.tipo,
        size_bytes=row.tamano,
        state=DocumentState(row.estado),
        error=row.error,
        pages=row.paginas,
        pages_done=row.paginas_hechas,
        passages=row.pasajes,
        created=row.fecha_creacion,
        owner=Owner(principal_id=row.principal_id, assistant=row.asistente),
    )
