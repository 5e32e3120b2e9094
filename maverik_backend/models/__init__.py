"""The tables, one file a domain. Importing this package makes ``Base.metadata`` complete."""

from maverik_backend.models.base import Base
from maverik_backend.models.catalog import CATALOGS, Catalogo
from maverik_backend.models.knowledge import Pasaje
from maverik_backend.models.outbox import CorreoSaliente, MailState
from maverik_backend.models.session import SesionAsesoria, SesionAsesoriaDetalle, TurnState
from maverik_backend.models.user import Usuario

# The Alembic revision that these tables are; a test keeps it equal to the head. It lets the server tell whether its
# database is migrated without loading Alembic.
SCHEMA_REVISION = "8a41f2c7e95b"

__all__ = [
    "CATALOGS",
    "SCHEMA_REVISION",
    "Base",
    "Catalogo",
    "CorreoSaliente",
    "MailState",
    "Pasaje",
    "SesionAsesoria",
    "SesionAsesoriaDetalle",
    "TurnState",
    "Usuario",
]
