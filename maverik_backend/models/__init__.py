"""The tables, one file a domain. Importing this package makes ``Base.metadata`` complete."""

from maverik_backend.core.principal import PrincipalKind
from maverik_backend.core.security_events import SecurityEvent
from maverik_backend.models.account import (
    CodigoRecuperacion,
    EnlaceClave,
    EventoSeguridad,
    InicioSesion,
    LimiteUso,
    SegundoFactor,
)
from maverik_backend.models.assistant import AsistenteVersion
from maverik_backend.models.base import Base
from maverik_backend.models.catalog import CATALOGS, Catalogo
from maverik_backend.models.conversation import (
    Conversacion,
    ConversationKind,
    FragmentoTurno,
    Principal,
    Proceso,
)
from maverik_backend.models.job import CorreoSaliente, JobState, Trabajo
from maverik_backend.models.knowledge import (
    Coleccion,
    Documento,
    DocumentoArchivo,
    DocumentoPasaje,
    DocumentState,
    ModeloVectores,
    Pasaje,
    PasajeVector,
)
from maverik_backend.models.session import PedidoIdempotente, SesionAsesoria, SesionAsesoriaDetalle, TurnState
from maverik_backend.models.usage import Consumo, ReservaConsumo
from maverik_backend.models.user import Usuario

# The Alembic revisions up to the one that these tables are, oldest first; a test keeps them equal to alembic/versions.
# They let the server tell without loading Alembic whether its database is migrated.
SCHEMA_REVISIONS = (
    "0b2e5472511d",
    "3f6c1a9d2b40",
    "5d0e7b83c614",
    "8a41f2c7e95b",
    "b7d93e04a1f6",
    "c4e8a6f1d273",
    "e1a7c94b52d8",
    "d2f5a8c31e07",
    "e7b40c96d5a2",
    "e8b3f05d7a19",
    "e2b58d07f3a9",
    "e7c15d90b2a4",
    "f3a61c08e5b4",
    "a1c4e7b92d63",
    "a4d81f6c29e3",
    "b2d5f8c03e74",
    "a91c4e7d2f60",
    "c7d1e94a3f58",
)

__all__ = [
    "CATALOGS",
    "SCHEMA_REVISIONS",
    "AsistenteVersion",
    "Base",
    "Catalogo",
    "CodigoRecuperacion",
    "Coleccion",
    "Consumo",
    "Conversacion",
    "ConversationKind",
    "CorreoSaliente",
    "DocumentState",
    "Documento",
    "DocumentoArchivo",
    "DocumentoPasaje",
    "EnlaceClave",
    "EventoSeguridad",
    "FragmentoTurno",
    "InicioSesion",
    "JobState",
    "LimiteUso",
    "ModeloVectores",
    "Pasaje",
    "PasajeVector",
    "PedidoIdempotente",
    "Principal",
    "PrincipalKind",
    "Proceso",
    "ReservaConsumo",
    "SecurityEvent",
    "SegundoFactor",
    "SesionAsesoria",
    "SesionAsesoriaDetalle",
    "Trabajo",
    "TurnState",
    "Usuario",
]
