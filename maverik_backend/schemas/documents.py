"""Collections of documents, and the documents in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from maverik_backend.schemas.base import AtMost, Response, Text
from maverik_backend.schemas.session import MAX_TITLE_CHARS, displayable

MAX_SLUG_CHARS = 64
MAX_FILE_NAME_CHARS = 255
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"

Slug = Annotated[str, Field(pattern=SLUG, max_length=MAX_SLUG_CHARS), BeforeValidator(AtMost(MAX_SLUG_CHARS))]
"""The name of a collection in addresses: lower-case letters, digits, hyphens."""

DocumentTitle = Annotated[
    str, Text(max_chars=MAX_TITLE_CHARS, allows_blank=False), AfterValidator(str.strip), AfterValidator(displayable)
]
FileName = Annotated[str, Text(max_chars=MAX_FILE_NAME_CHARS)]


class ColeccionResponse(Response):
    """A collection; ``propia`` says that it is the person's own."""

    coleccion: str
    nombre: str
    propia: bool
    documentos: int


class DocumentoResponse(Response):
    """A document and how far it has come."""

    id: int
    coleccion: str
    titulo: str
    tipo: str = Field(description="El tipo de archivo, según su contenido.")
    tamano: int
    estado: Literal["pendiente", "procesando", "listo", "error"] = Field(
        description="`pendiente` y `procesando` mientras se lee, `listo` cuando se lo encuentra, o `error`."
    )
    error: str | None = Field(description="Por qué no se pudo leer, en una frase; null si no hubo error.")
    paginas: int | None
    paginas_hechas: int
    pasajes: int
    fecha_creacion: datetime = Field(description="Cuándo se subió.")


class DocumentosResponse(Response):
    """A page of documents, newest first."""

    documentos: list[DocumentoResponse]
    siguiente: Annotated[int | None, Field(description="Valor de `before` para la página siguiente; null si no hay.")]
