"""Databases of other systems that people may ask about: read, never written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from maverik_backend.settings.base import Group
from maverik_backend.settings.database import DatabaseSettings

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VARIABLE = "DATA_SOURCE_<NAME>_URL"
_SUFFIX = "_url"
_SSL_MODES = ("prefer", "require", "verify-full")
_OPTIONS = frozenset({"host", "sslmode", "sslrootcert"})


def _source_url(value: SecretStr) -> SecretStr:
    """Accept an address of PostgreSQL as libpq reads it; one of SQLAlchemy's drivers may stand behind a ``+``."""
    try:
        connection_settings(value, pool_size=1)
    except ValueError as error:
        raise PydanticCustomError("source_url", "{reason}", {"reason": str(error)}) from None
    return value


def connection_settings(url: SecretStr, *, pool_size: int) -> DatabaseSettings:
    """What ``url`` says, as settings to connect with.

    Raises:
        ValueError: when something is missing or not known; the message quotes nothing of it.
    """
    scheme, options, parts = _parts(url.get_secret_value())
    host = options.get("host") or parts["host"]
    ssl_mode = options.get("sslmode", "prefer")
    if scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise ValueError("it must begin with postgresql://")
    if not (host and parts["username"] and parts["name"]):
        raise ValueError("it must name a host, a user and a database: postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"of its options only {', '.join(sorted(_OPTIONS))} are known, and it has {len(unknown)} more")
    if ssl_mode not in _SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(_SSL_MODES)}")
    root_cert = options.get("sslrootcert")
    return DatabaseSettings.isolated(
        **{**parts, "host": host},
        schema_name="pg_catalog",  # tables are named with their schema, and functions are PostgreSQL's own
        ssl_mode=ssl_mode,
        ssl_root_cert=Path(root_cert) if root_cert else None,
        pool_size=pool_size,
    )


def _parts(url: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    try:
        found = urlsplit(url)
        port = found.port or 5432
    except ValueError:  # quotes the address, and with it credentials
        raise ValueError("it is no address") from None
    parts = {
        "host": found.hostname,
        "port": port,
        "name": unquote(found.path.lstrip("/")),
        "username": unquote(found.username or ""),
        "password": SecretStr(unquote(found.password)) if found.password else None,
    }
    return found.scheme, dict(parse_qsl(found.query)), parts


SourceUrl = Annotated[SecretStr, AfterValidator(_source_url)]


class _Named(PydanticBaseSettingsSource):
    """Reads every ``DATA_SOURCE_<NAME>_URL`` of the sources it is given, of which the first comes first."""

    def __init__(self, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._sources = sources

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not asked: :meth:`__call__` gives all there is."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        urls: dict[str, str] = {}
        for source in reversed(self._sources):
            variables: Mapping[str, str | None] = getattr(source, "env_vars", {})
            prefix: str = getattr(source, "env_prefix", "").lower()
            urls |= {
                name.lower()[len(prefix) : -len(_SUFFIX)]: value
                for name, value in variables.items()
                if value and name.lower().startswith(prefix) and name.lower().endswith(_SUFFIX)
            }
        return {_VARIABLE: urls} if urls else {}


class DataSourceSettings(Group):
    """Where the data that people may ask about is. A source is named by its variable; names are lower case inside."""

    model_config = SettingsConfigDict(env_prefix="DATA_SOURCE_")

    urls: Annotated[dict[Annotated[str, Field(pattern=rf"^{_NAME.pattern}$")], SourceUrl], NoDecode] = Field(
        default={}, validation_alias=_VARIABLE
    )
    """By name: the address, with a role that can only read."""
    pool_size: int = Field(default=4, ge=1, le=50)
    """Connections that a process keeps to each, at most."""
    pool_timeout_s: float = Field(default=3.0, gt=0, le=30)
    """How long a question waits for a free one."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As usual, and then the addresses."""
        del file_secret_settings
        named = _Named(settings_cls, env_settings, dotenv_settings)
        return init_settings, env_settings, dotenv_settings, named

    def connection(self, name: str) -> DatabaseSettings | None:
        """How to connect to the source of that name; ``None`` when its variable is not set."""
        url = self.urls.get(name)
        if url is None:
            return None
        found = connection_settings(url, pool_size=self.pool_size)
        return found.model_copy(update={"pool_timeout_s": self.pool_timeout_s})
