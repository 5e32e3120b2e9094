"""The way to PostgreSQL: an engine made from settings, and ``transaction()``, the only unit of work.

Two rules hold everywhere above this file. Services never commit: the code that opened the transaction does. And nothing
waits on the network while a transaction is open: code that must wait is handed :attr:`Database.transaction` and opens
short ones before and after.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from maverik_backend.core import embedded_postgres, postgres_driver
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.principal import Principal
from maverik_backend.errors import DatabaseUnavailable, SettingsError
from maverik_backend.settings import DatabaseSettings, Settings


class TransactionFactory(Protocol):
    """:meth:`Database.transaction`: services are handed this and no more of the database."""

    def __call__(self, principal: Principal | None = None, /) -> AbstractContextManager[Connection]: ...


# SQLSTATE classes and codes (PostgreSQL manual, appendix A) that say "not now" or "not you" rather than "your statement
# is wrong": connection, authorization, unknown database, transactions that stood in each other's way (deadlocks),
# resources, lock timeout, shutdown, statement timeout, and a table or column that is missing because the database is
# not migrated.
_UNAVAILABLE_SQLSTATES = (
    "08", "28", "3D000", "40", "53", "55P03", "57P01", "57P02", "57P03", "57P05", "57014", "42P01", "42703",
)  # fmt: skip

# Which setting is to blame for a refused connection.
_MEANINGS = {
    "28P01": "it refuses DB_USERNAME with this DB_PASSWORD",
    "28000": "it refuses DB_USERNAME from here, or in this DB_SSL_MODE",
    "3D000": "it has no database of that DB_NAME",
}

HEARTBEAT_TIMEOUT_S = 2.0
"""A lease lasts longer than two beats that meet a database that says nothing (services/turns/heartbeat.py)."""

# The server ends a long statement by itself; only when it says nothing for so much longer is the connection given up.
_SILENCE_MARGIN_S = 5.0

# Networks forget connections that were idle for so long (NAT and connection tracking on AWS: 350 s), and some tell
# neither end: a probe statement on such a connection would wait for all of the silence above.
_RECYCLE_S = 300
# What pg8000 says when it insists on TLS and the server does not speak it.
_TLS_REFUSED = "Server refuses SSL"


class Database:
    """The database as the rest of the code sees it: something that gives transactions."""

    def __init__(self, bind: Engine | Connection) -> None:
        """``bind`` is an engine; tests bind one connection whose outer transaction they roll back."""
        self.bind = bind

    @contextmanager
    def transaction(self, principal: Principal | None = None, /) -> Iterator[Connection]:
        """A connection whose work is committed when the block ends and rolled back when it raises.

        With a ``principal``, row-level-security policies can read who it is as ``current_setting('app.principal_id',
        true)`` and ``'app.principal_tipo'``. The settings end with the transaction and travel in the message of its
        first statement, so they cost no round trip. Without one they are null or empty.

        Raises:
            DatabaseUnavailable: when PostgreSQL cannot be reached, is shutting down, or no connection came free.
        """
        with unavailability_reported(), self._begin() as db:
            if principal is not None:
                driver_connection: Any = db.connection.driver_connection
                driver_connection.set_principal(principal.key, principal.kind.value)
            yield db

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if isinstance(self.bind, Engine):
            with self.bind.begin() as db:
                yield db
        else:
            with self.bind.begin_nested():
                yield self.bind

    def report_to(self, metrics: Metrics) -> None:
        """Tell ``metrics`` how many connections there may be, and from now on how many are working."""
        if isinstance(self.bind, Engine) and isinstance(self.bind.pool, QueuePool):
            metrics.set_pool_size(self.bind.pool.size())
            _count_connections(self.bind, metrics)

    def dispose(self) -> None:
        """Close the pooled connections."""
        if isinstance(self.bind, Engine):
            self.bind.dispose()


def commit_with_next(db: Connection) -> None:
    """Commit ``db`` with the statement that comes next, in the same round trip: it must be the transaction's last one.

    Nothing is committed when that statement fails. A transaction inside another one, as tests have them, is committed
    by the outer one.
    """
    if not db.in_nested_transaction():
        driver_connection: Any = db.connection.driver_connection
        driver_connection.commit_with_next()


def _count_connections(engine: Engine, metrics: Metrics) -> None:
    """Count checkouts and returns; the pool also takes back closed connections that it never handed out."""
    working: set[ConnectionPoolEntry] = set()

    def begins(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        working.add(record)
        metrics.count_connection(1)

    def is_done(_connection: object, record: ConnectionPoolEntry) -> None:
        if record in working:
            working.discard(record)
            metrics.count_connection(-1)

    event.listen(engine, "checkout", begins)
    event.listen(engine, "checkin", is_done)


@contextmanager
def unavailability_reported() -> Iterator[None]:
    """Turn the driver's ways of saying "not now" into :class:`~maverik_backend.errors.DatabaseUnavailable`."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        if is_unavailable(error):
            raise DatabaseUnavailable(_reason(error)) from error
        raise


def _reason(error: DBAPIError | PoolTimeoutError) -> str:
    """What the server or the driver calls it, without statement or parameters."""
    details = error.orig.args[0] if isinstance(error, DBAPIError) and error.orig and error.orig.args else None
    if isinstance(details, dict):
        sqlstate = str(details.get("C"))
        meaning = _MEANINGS.get(sqlstate)
        return f"{meaning}, SQLSTATE {sqlstate}" if meaning else f"SQLSTATE {sqlstate}"
    if details == _TLS_REFUSED:
        return "it offers no TLS, which DB_SSL_MODE demands"
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    return "no connection" if isinstance(error, DBAPIError) else "no connection came free"


def is_unavailable(error: DBAPIError | PoolTimeoutError) -> bool:
    """Whether ``error`` says that the database is away or overloaded, not that a statement was wrong."""
    if isinstance(error, PoolTimeoutError) or error.connection_invalidated:
        return True
    details = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(details, dict):
        return str(details.get("C", "")).startswith(_UNAVAILABLE_SQLSTATES)
    # pg8000 has no SQLSTATE for what never reached the server; those are its InterfaceErrors.
    return isinstance(error, InterfaceError)


def database_url(settings: Settings) -> URL:
    """Where PostgreSQL is; starts the embedded one when no host is configured."""
    database = settings.database
    if database.is_embedded:
        return embedded_postgres.ensure_running(embedded_postgres.data_dir_of(settings), database_name=database.name)
    return _url_of(database)


def _url_of(database: DatabaseSettings) -> URL:
    """The address of a configured server; a host that is a folder holds its Unix socket, as libpq has it."""
    at_socket = database.host is not None and database.host.startswith("/")
    return URL.create(
        "postgresql+pg8000",
        username=database.username,
        password=database.password.get_secret_value() if database.password else None,
        host=None if at_socket else database.host,
        port=None if at_socket else database.port,
        database=database.name,
        query={"unix_sock": f"{database.host}/.s.PGSQL.{database.port}"} if at_socket else {},
    )


def make_engine(settings: Settings, *, url: URL | None = None, for_migrations: bool = False) -> Engine:
    """An engine with a pool sized by the settings, every connection set to the configured schema and to UTC.

    Migrations get no statement timeout: building an index or hashing keys may take long, on purpose. Connecting may
    not.

    Raises:
        SettingsError: when the authorities that DB_SSL_ROOT_CERT names cannot be read.
    """
    database = settings.database
    return _make_engine(
        database,
        url=url or database_url(settings),
        pool_size=database.pool_size,
        pool_timeout_s=database.pool_timeout_s,
        connect_timeout_s=database.connect_timeout_s,
        statement_timeout_s=None if for_migrations else database.statement_timeout_s,
    )


def make_heartbeat_engine(settings: Settings, *, url: URL | None = None) -> Engine:
    """An engine of one connection that says within :data:`HEARTBEAT_TIMEOUT_S` that the database cannot be reached."""
    timeout_s = min(HEARTBEAT_TIMEOUT_S, settings.database.connect_timeout_s)
    return _make_engine(
        settings.database,
        url=url or database_url(settings),
        pool_size=1,
        pool_timeout_s=timeout_s,
        connect_timeout_s=timeout_s,
        statement_timeout_s=timeout_s,
        silence_margin_s=1.0,
    )


def make_source_engine(database: DatabaseSettings, *, statement_timeout_s: float) -> Engine:
    """An engine for a database of another system (``DATA_SOURCE_<NAME>_URL``)."""
    return _make_engine(
        database,
        url=_url_of(database),
        pool_size=database.pool_size,
        pool_timeout_s=database.pool_timeout_s,
        connect_timeout_s=database.connect_timeout_s,
        statement_timeout_s=statement_timeout_s,
    )


def _make_engine(
    database: DatabaseSettings,
    *,
    url: URL,
    pool_size: int,
    pool_timeout_s: float,
    connect_timeout_s: float,
    statement_timeout_s: float | None,
    silence_margin_s: float = _SILENCE_MARGIN_S,
) -> Engine:
    startup_params = {
        "search_path": f'"{database.schema_name}"',
        "timezone": "UTC",
        "client_encoding": "UTF8",
        "standard_conforming_strings": "on",  # a backslash between quotes is one, whatever the server is set to
    }
    if statement_timeout_s is not None:
        startup_params["statement_timeout"] = str(round(statement_timeout_s * 1000))
    engine = create_engine(
        url,
        connect_args={
            "timeout": connect_timeout_s,
            "ssl_context": _ssl_context(database),
            "application_name": "maverik_backend",
            "startup_params": startup_params,
        },
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        pool_recycle=_RECYCLE_S,
        # Parameters of a failed statement hold what people wrote: they never belong in a log.
        hide_parameters=True,
    )
    postgres_driver.adopt(
        engine, silence_s=None if statement_timeout_s is None else statement_timeout_s + silence_margin_s
    )
    return engine


def _ssl_context(database: DatabaseSettings) -> ssl.SSLContext | None:
    """What pg8000 insists on; ``None`` makes it take TLS when it is offered, without checking the certificate."""
    if database.ssl_mode == "prefer":
        return None
    try:
        context = ssl.create_default_context(cafile=database.ssl_root_cert)
    except OSError as error:  # also an SSLError: no certificate in it
        raise SettingsError([f"DB_SSL_ROOT_CERT cannot be used: {error.strerror or error}."]) from None
    if database.ssl_mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
