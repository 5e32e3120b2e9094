"""SQL of assistants: the content of every version that has answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.postgresql import insert as upsert

from maverik_backend.models import AsistenteVersion
from maverik_backend.services.assistants.definition import Definition

# A mapped class says only that it has some table.
VERSIONS = cast("Table", AsistenteVersion.__table__)


def keep_version(db: Connection, definition: Definition) -> None:
    """Store the content of a version, unless it is stored."""
    added = upsert(VERSIONS).values(
        asistente=definition.slug,
        version=definition.version,
        contenido=definition.model_dump(mode="json"),
    )
    db.execute(added.on_conflict_do_nothing())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersion:
    """A version that has answered; ``created`` is when it first did."""

    version: str
    content: dict[str, Any]
    created: datetime


def get_versions(db: Connection, *, slug: str) -> Sequence[KeptVersion]:
    """Every version of an assistant that has answered, the newest first."""
    query = select(VERSIONS).where(VERSIONS.c.asistente == slug).order_by(VERSIONS.c.fecha_creacion.desc())
    return [
        KeptVersion(version=row.version, content=row.contenido, created=row.fecha_creacion) for row in db.execute(query)
    ]
