"""What a running application holds, made once by ``api.create_app``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from maverik_backend.clients.registry import Clients
from maverik_backend.core.data_sources import DataSources
from maverik_backend.core.database import Database
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.security import Keyring
from maverik_backend.core.tokens import Tokens
from maverik_backend.services.accounts import Authenticator, Enrolments, Exports, Passwords
from maverik_backend.services.catalogs import CatalogCache
from maverik_backend.services.jobs import JobRunner
from maverik_backend.services.knowledge import DocumentSearch, KnowledgeIndex
from maverik_backend.services.limits import ConcurrencyLimiter, Throttle
from maverik_backend.services.operations import Health
from maverik_backend.services.sessions import AdviceClients
from maverik_backend.services.turns import TurnEngine
from maverik_backend.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything that requests share. Each part is safe to use from several threads."""

    settings: Settings
    database: Database
    beats: Database
    clients: Clients
    knowledge: KnowledgeIndex
    documents: DocumentSearch
    uploads: ConcurrencyLimiter
    data_sources: DataSources
    keyring: Keyring
    tokens: Tokens
    throttle: Throttle
    authenticator: Authenticator
    passwords: Passwords
    enrolments: Enrolments
    catalogs: CatalogCache
    advice: AdviceClients
    turns: TurnEngine
    exports: Exports
    jobs: JobRunner
    health: Health
    metrics: Metrics

    def close(self, *, grace_s: float) -> None:
        """Let running turns finish, at most ``grace_s`` seconds, and close what was opened."""
        self.turns.close(timeout_s=grace_s)
        self.clients.models.close()
        self.data_sources.dispose()
        self.database.dispose()
        self.beats.dispose()


def resources_of(app: FastAPI) -> Resources:
    """What ``api.create_app`` put into ``app``."""
    resources: Resources = app.state.resources
    return resources


async def _resources(request: Request) -> Resources:
    return resources_of(request.app)


App = Annotated[Resources, Depends(_resources)]
"""For routes and dependencies that need what requests share."""
