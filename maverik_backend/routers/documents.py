"""Documents of the person, and the collections that the person may read."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Query, Request, status

from maverik_backend import errors
from maverik_backend.routers import responses
from maverik_backend.schemas.base import MAX_BIGINT, SHORT_NUMBER, Id
from maverik_backend.schemas.documents import (
    ColeccionResponse,
    DocumentoResponse,
    DocumentosResponse,
    DocumentTitle,
    FileName,
    Slug,
)
from maverik_backend.schemas.session import MAX_TITLE_CHARS
from maverik_backend.services import accounts, knowledge
from maverik_backend.services.knowledge import Collection, Document, Owner, Scope, Upload
from maverik_backend.texts import documents as texts
from maverik_backend.web.dependencies import App, CurrentClaims, CurrentUser, DbTransaction, WritingUser
from maverik_backend.web.openapi import operation_id
from maverik_backend.web.uploads import OPENAPI_BODY, UploadedContent

router = APIRouter(tags=["documentos"], generate_unique_id_function=operation_id)

Limit = Annotated[int, Query(ge=1, le=100, description="Cuántos documentos, como máximo."), SHORT_NUMBER]
Before = Annotated[
    int | None, Query(ge=1, le=MAX_BIGINT, description="El `siguiente` de la página anterior."), SHORT_NUMBER
]
OwnCollection = Annotated[Slug, Query(description="En qué colección propia; si no existe, se crea.")]


@router.post(
    "/documents",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Subir un documento",
    description=(
        "El cuerpo es el archivo: PDF, Markdown, texto o HTML, de hasta 20 MB y 2.000 páginas. Se lee después: "
        "`GET /documents/{document_id}` dice cuánto falta. El mismo archivo en la misma colección es el mismo "
        "documento."
    ),
    openapi_extra=OPENAPI_BODY,
    responses=responses.of(
        errors.TooManyDocuments, errors.ReadOnly, errors.TooManyAtOnce, errors.Overloaded, errors.NotFound
    ),
)
def add_document(
    content: UploadedContent,
    request: Request,
    claims: CurrentClaims,
    app: App,
    coleccion: Annotated[
        Slug, Query(description="En qué colección propia; si no existe, se crea.")
    ] = knowledge.OWN_SLUG,
    titulo: Annotated[DocumentTitle | None, Query(description="Cómo se llama; si no se dice, como el archivo.")] = None,
    archivo: Annotated[FileName, Query(description="El nombre del archivo.")] = "",
) -> DocumentoResponse:
    title = titulo or PurePath(archivo).stem.strip()[:MAX_TITLE_CHARS] or texts.UNTITLED
    declared = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    upload = Upload(content=content, title=title, declared_type=declared, file_name=archivo)
    media_type = knowledge.sniff(upload)
    owner = Owner(principal_id=claims.principal.id)
    with app.database.transaction(claims.principal) as db:
        accounts.authenticate(db, claims, for_key_share=True)
        document = knowledge.add_document(
            db, upload, media_type=media_type, owner=owner, slug=coleccion, keyring=app.keyring
        )
    return _document_response(document)


@router.get(
    "/collections",  # below /documents it would be one of the paths of a document, with their methods
    summary="Las colecciones que puedo leer",
    description="Las propias primero; después las que son para todos, como los artículos.",
)
def get_collections(user: CurrentUser, db: DbTransaction) -> list[ColeccionResponse]:
    return [_collection_response(one) for one in knowledge.get_collections(db, scope=Scope(principal_id=user.id))]


@router.get(
    "/documents",
    summary="Documentos, del más nuevo al más viejo",
    description="De a páginas: el `siguiente` de una es el `before` de la que sigue.",
)
def get_documents(
    user: CurrentUser,
    db: DbTransaction,
    coleccion: Annotated[Slug, Query(description="De qué colección.")] = knowledge.OWN_SLUG,
    limit: Limit = 20,
    before: Before = None,
) -> DocumentosResponse:
    scope = Scope(principal_id=user.id, slugs=(coleccion,))
    page, next_before = knowledge.get_documents(db, scope=scope, limit=limit, before=before)
    return DocumentosResponse(documentos=[_document_response(one) for one in page], siguiente=next_before)


@router.get(
    "/documents/{document_id}",
    summary="Un documento, y cuánto falta para que esté listo",
    description="Uno ajeno y uno que no existe son el mismo 404.",
)
def get_document(document_id: Id, user: CurrentUser, db: DbTransaction) -> DocumentoResponse:
    return _document_response(knowledge.get_document(db, scope=Scope(principal_id=user.id), document_id=document_id))


@router.delete(
    "/documents/{document_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Borrar un documento con todo lo que se leyó de él",
    description="No se puede deshacer.",
    responses=responses.of(errors.ReadOnly),
)
def delete_document(document_id: Id, user: WritingUser, db: DbTransaction) -> None:
    knowledge.remove_document(db, principal_id=user.id, document_id=document_id)


def _collection_response(collection: Collection) -> ColeccionResponse:
    return ColeccionResponse(
        coleccion=collection.slug,
        nombre=collection.name,
        propia=not collection.owner.is_shared,
        documentos=collection.documents,
    )


def _document_response(document: Document) -> DocumentoResponse:
    return DocumentoResponse(
        id=document.id,
        coleccion=document.collection,
        titulo=document.title,
        tipo=document.media_type,
        tamano=document.size_bytes,
        estado=document.state.value,
        error=document.error,
        paginas=document.pages,
        paginas_hechas=document.pages_done,
        pasajes=document.passages,
        fecha_creacion=document.created,
    )
