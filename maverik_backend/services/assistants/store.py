"""SQL of assistants: the content of every version that has answered."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection, Table
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
