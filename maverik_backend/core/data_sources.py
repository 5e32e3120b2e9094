"""Databases of other systems that are read: read-only transactions, bounded in time, bound to a project by settings.

Three fences stand in the database, whatever statement is run: the role can only read (the domain that asks checks it),
the transaction is read-only, and row-level security reads whose rows may be seen from settings that leave ahead of the
statement, in the same message (:meth:`~maverik_backend.core.postgres_driver.Connection.read_only_with`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from maverik_backend.core.database import is_unavailable, make_source_engine
from maverik_backend.core.deadline import Cancellation
from maverik_backend.errors import Cancelled, UpstreamError, UpstreamQueryFailed, UpstreamTimeout, UpstreamUnreachable
from maverik_backend.settings import DatabaseSettings, DataSourceSettings

MAX_TIMEOUT_S = 30.0
"""For one statement."""
_MIN_TIMEOUT_MS = 1  # PostgreSQL takes 0 as "none"
_QUERY_CANCELED = "57014"  # by statement_timeout


class DataSource:
    """One database; its connections are made when they are needed."""

    def __init__(self, name: str, database: DatabaseSettings) -> None:
        self.name = name
        self._engine: Engine = make_source_engine(database, statement_timeout_s=MAX_TIMEOUT_S)

    @contextmanager
    def transaction(
        self, settings: Mapping[str, str], *, timeout_s: float, cancellation: Cancellation | None = None
    ) -> Iterator[Connection]:
        """A read-only transaction in which each statement ends after ``timeout_s`` and ``settings`` are set.

        ``settings`` are PostgreSQL's or customised ones (``app.project_id``). Every statement must have parameters:
        only such a one is sent by the protocol that runs a single statement. When ``cancellation`` is set, the
        connection is given up; the server then ends the statement after ``timeout_s`` at the latest.

        Raises:
            Cancelled: ``cancellation`` was set.
            UpstreamUnreachable: no connection, or it was cut.
            UpstreamTimeout: a statement took longer, or no connection came free.
            UpstreamQueryFailed: the database does not run the statement.
        """
        timeout_ms = max(_MIN_TIMEOUT_MS, round(min(timeout_s, MAX_TIMEOUT_S) * 1000))
        try:
            with self._engine.begin() as db:
                driver_connection: Any = db.connection.driver_connection
                driver_connection.read_only_with({"statement_timeout": str(timeout_ms), **settings})
                with (cancellation or Cancellation()).calling(driver_connection.abandon):
                    yield db
        except (DBAPIError, PoolTimeoutError) as error:
            if cancellation is not None and cancellation.is_set:
                raise Cancelled from None
            # Not chained: the database's own words may quote what people asked or other people's rows.
            raise self._failure(error) from None

    def dispose(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    def _failure(self, error: DBAPIError | PoolTimeoutError) -> UpstreamError:
        service = f"data_source.{self.name}"
        if isinstance(error, PoolTimeoutError):
            return UpstreamTimeout(service, "no connection came free")
        details = error.orig.args[0] if error.orig is not None and error.orig.args else None
        sqlstate = str(details.get("C", "")) if isinstance(details, dict) else ""
        if sqlstate == _QUERY_CANCELED:
            return UpstreamTimeout(service, "statement_timeout")
        if sqlstate.startswith("42") or not is_unavailable(error):
            return UpstreamQueryFailed(service, sqlstate or "unknown")
        return UpstreamUnreachable(service, f"SQLSTATE {sqlstate}" if sqlstate else "no connection")


class DataSources:
    """The databases that are configured, each made when it is first asked for. Safe to use from several threads."""

    def __init__(self, settings: DataSourceSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[str, DataSource] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them."""
        return tuple(sorted(self._settings.urls))

    def get(self, name: str) -> DataSource | None:
        """The one of that name; ``None`` when its variable is not set."""
        with self._lock:
            if name not in self._made and (database := self._settings.connection(name)) is not None:
                self._made[name] = DataSource(name, database)
            return self._made.get(name)

    def dispose(self) -> None:
        """Close the connections of all."""
        with self._lock:
            for source in self._made.values():
                source.dispose()
            self._made.clear()
