"""Where PostgreSQL is, and how it is connected to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from maverik_backend.settings.base import Group

# What docker-compose.yml gives its database when none is set.
PUBLISHED_DB_PASSWORD = "maverik"  # noqa: S105 - worth nothing: production refuses it


class DatabaseSettings(Group):
    """PostgreSQL. Without a host, an embedded one is started."""

    model_config = SettingsConfigDict(env_prefix="DB_", populate_by_name=True)

    host: str | None = None
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = "maverik"
    schema_name: str = Field(default="public", validation_alias="DB_SCHEMA", pattern=r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$")
    username: str | None = None
    password: SecretStr | None = None
    pool_size: int = Field(default=10, ge=1, le=500)
    pool_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long a request waits for a free connection before it is told that the service is overloaded."""
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60)
    ssl_mode: Literal["prefer", "require", "verify-full"] = "prefer"
    """As libpq's ``sslmode``: TLS when the server offers it, always, or always and with a certificate that is its own
    (https://www.postgresql.org/docs/current/libpq-ssl.html). Production may do without: inside one private network,
    such as docker's, servers commonly have no certificate."""
    ssl_root_cert: Path | None = None
    """The authorities that ``verify-full`` trusts, in PEM; without it those of the system."""
    statement_timeout_s: float = Field(default=15.0, gt=0, le=600)

    @property
    def request_slots(self) -> int:
        """How many requests may hold a connection at once; the others are for turns, logins and mails."""
        return max(1, self.pool_size * 3 // 4)

    @property
    def is_embedded(self) -> bool:
        return self.host is None

    def problems(self) -> Iterator[str]:
        """Values that contradict each other, a sentence each."""
        if self.host is not None and not self.username:
            yield "DB_HOST is set but DB_USERNAME is not: set the user to connect as."
        if self.host is None and (self.username or self.password):
            yield (
                "DB_USERNAME or DB_PASSWORD is set but DB_HOST is not: "
                "set DB_HOST, or none for the embedded PostgreSQL."
            )
        if self.host is None and self.ssl_mode != "prefer":
            yield f"DB_SSL_MODE={self.ssl_mode} is set but DB_HOST is not: the embedded PostgreSQL speaks no TLS."
        if self.ssl_root_cert and self.ssl_mode != "verify-full":
            yield "DB_SSL_ROOT_CERT is set but nothing is checked against it: set DB_SSL_MODE=verify-full."

    def production_problems(self) -> Iterator[str]:
        """What production refuses, a sentence each."""
        if self.is_embedded:
            yield "DB_HOST is not set: production does not keep people's data in the embedded PostgreSQL."
        elif not self.password:
            yield "DB_PASSWORD is not set: production does not connect to the database without one."
        elif self.password.get_secret_value() == PUBLISHED_DB_PASSWORD:
            yield "DB_PASSWORD is the one that docker-compose.yml publishes: production uses one of its own."
