"""The process: where it runs and listens, what it serves at once, how it ends."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field

from maverik_backend.settings.base import Group
from maverik_backend.settings.values import HttpUrl, origin_of


class AppEnv(StrEnum):
    """Where this process runs. Only ``prod`` changes behaviour: it refuses local defaults."""

    LOCAL = "local"
    DEV = "dev"
    TEST = "test"
    STAGING = "staging"
    PROD = "prod"

    @classmethod
    def _missing_(cls, value: object) -> AppEnv | None:
        """The long names, of which ``development`` stood in the ``.env.example`` of older installations."""
        return {"development": cls.DEV, "production": cls.PROD}.get(str(value))


class AppSettings(Group):
    """The process itself."""

    app_env: AppEnv = AppEnv.LOCAL
    local_data_dir: Path = Path(".maverik")
    """Where local defaults keep their files: embedded PostgreSQL, local mailbox, generated key."""
    host: str = "127.0.0.1"
    port: int = Field(default=8082, ge=0, le=65535)
    public_url: HttpUrl | None = None
    """The address of this backend as people's browsers reach it; mails link to its pages."""
    api_docs: bool | None = None
    """Whether ``/docs`` and ``/openapi.json`` are served; not set: everywhere but in production (ASVS 5.0, 13.4.5)."""
    worker_threads: int = Field(default=600, ge=1, le=2000)
    """How many requests are worked on at once in a process; a turn keeps its thread while the RAG service thinks."""
    max_connections: int = Field(default=4096, ge=16, le=65_536)
    """How many clients may be connected to a process at once; fewer where its limit of open files demands it."""
    max_connections_per_address: int | None = Field(default=None, ge=1, le=65_536)
    """How many of them from one address (of IPv6 one /64); by default a quarter. Not counted behind proxies."""
    keep_alive_s: float = Field(default=5.0, ge=1, le=3600)
    """How long a connection stays open after an answer, for the next request."""
    shutdown_drain_s: float = Field(default=0.0, ge=0, le=600)
    """How long requests are still accepted after a SIGTERM, while ``/health/ready`` already says 503."""
    shutdown_grace_s: float = Field(default=25.0, gt=0, le=600)
    """How long turns under way may take to finish after that; the rest are marked as interrupted."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "console"] = "auto"

    @property
    def is_production(self) -> bool:
        return self.app_env is AppEnv.PROD

    @property
    def serves_api_docs(self) -> bool:
        return not self.is_production if self.api_docs is None else self.api_docs

    @property
    def local_url(self) -> str:
        """Where a browser on this machine finds the process."""
        host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What browsers name as ``Origin`` on our own pages (RFC 6454, section 6.2)."""
        return origin_of(self.public_url or self.local_url)

    @property
    def shutdown_s(self) -> float:
        """How long the process takes to end, at most."""
        return self.shutdown_drain_s + self.shutdown_grace_s
