"""pg8000 as this product uses it: every failure of the network in one word, and one round trip a statement.

pg8000 sends the parts of a statement one by one and waits for each answer, three times a statement and for ``BEGIN``
and ``COMMIT`` as well, and reads each statement letter by letter for its placeholders every time. A turn took 33 round
trips; each of them hands Python's lock to another thread and takes it back. Here ``BEGIN`` and all parts of a statement
leave in one message and are answered together (PostgreSQL manual, 54.2.3 and 54.2.4), and so may the ``COMMIT`` that
follows; nothing is prepared by name, so poolers between us and the server may hand statements to any of its processes.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

import pg8000  # type: ignore[import-untyped]
from pg8000.core import IDLE, Context, make_params  # type: ignore[import-untyped]
from pg8000.dbapi import convert_paramstyle  # type: ignore[import-untyped]
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import DisconnectionError
from urllib3.util import wait_for_read

_READY_FOR_QUERY = b"Z"
_COMMAND_COMPLETE = b"C"
# What answers a statement without ``Describe`` besides an error: parsed, bound, rows, complete.
_RESULT_CODES = frozenset({b"1", b"2", b"D", _COMMAND_COMPLETE})
_SYNC = b"S\x00\x00\x00\x04"
_EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
_DESCRIBE_AND_EXECUTE = b"D\x00\x00\x00\x06P\x00" + _EXECUTE
_NULL = struct.pack("!i", -1)
_SET_PRINCIPAL = "SELECT set_config('app.principal_id', $1, true), set_config('app.principal_tipo', $2, true)"
_NOTHING = "SELECT 1"
_SETTING_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)?")
_SETTING_VALUE = re.compile(r"[\w.:@|+-]{0,200}", re.ASCII)
"""What needs no escaping between quotes, whatever the server's settings are."""
_STATEMENTS_REMEMBERED = 512
_DESCRIPTIONS_REMEMBERED = 128
# A connection that was used so lately is believed to be there, unless its socket says that the server has left.
_BELIEVED_FOR_S = 30.0


def adopt(engine: Engine, *, silence_s: float | None) -> None:
    """Let ``engine`` connect with this driver, and wait ``silence_s`` for an answer once connected.

    Left alone pg8000 lets the OSErrors of the TLS handshake and of each first read through, which SQLAlchemy would
    neither wrap nor take as a reason to drop the connection; and its ``timeout`` is one for connecting and for
    statements.
    """

    def connect(_dialect: Dialect, _record: object, _args: object, options: dict[str, Any]) -> Connection:
        try:
            connection = Connection(**options) if "unix_sock" in options else _connect_by_tcp(options)
        except OSError as error:
            raise _network_error() from error
        connection.set_read_timeout(silence_s)
        return connection

    def before_use(connection: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401 - pool and driver objects
        if not connection.is_usable(idle_s=time.monotonic() - record.info.get("last_used", 0.0)):
            raise DisconnectionError

    def after_use(_connection: object, record: Any) -> None:  # noqa: ANN401
        record.info["last_used"] = time.monotonic()

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", before_use)
    event.listen(engine, "checkin", after_use)


class Numbered(str):
    """A statement whose placeholders are ``$1``, ``$2``, ... already: it is sent as it is, to the letter."""

    __slots__ = ()


class Connection(pg8000.Connection):  # type: ignore[misc] # it has no types
    """A pg8000 connection that sends as little and waits as seldom as the protocol allows."""

    _usock: Any = None
    _autocommit = False

    def __init__(self, **options: Any) -> None:  # noqa: ANN401
        """Close, on failure, also the socket that pg8000 made of the one it was given."""
        self._is_broken = False
        self._ahead: list[bytes] = []
        self._is_read_only = False
        self._commits_with_next = False
        self._statements_ahead = 0
        self._descriptions: dict[bytes, list[dict[str, Any]]] = {}
        try:
            super().__init__(**options)
        except BaseException:
            if self._usock is not None:
                self._usock.close()
            raise

    def set_read_timeout(self, silence_s: float | None) -> None:
        """From now on, give a server up that says nothing for so long; ``None``: never."""
        self._usock.settimeout(silence_s)
        self._sock: Any = _Stream(self._sock)

    def is_usable(self, *, idle_s: float) -> bool:
        """Whether the server is likely to answer: at no cost after a short rest, else by asking it."""
        if self._is_broken:
            return False
        if wait_for_read(self._usock, timeout=0):  # between statements a server only sends before it closes
            return False
        if idle_s < _BELIEVED_FOR_S:
            return True
        try:
            self.execute_simple("")
        except (pg8000.Error, OSError):
            return False
        return True

    def close(self) -> None:
        """End the session; one that the server has ended already has nothing left to be told."""
        with suppress(pg8000.InterfaceError):
            super().close()

    def abandon(self) -> None:
        """Shut the socket down, from any thread: what waits for an answer gets a network error at once."""
        with suppress(OSError):
            self._usock.shutdown(socket.SHUT_RDWR)

    def cursor(self) -> Cursor:
        return Cursor(self)

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own.

        Changing it commits the transaction that is open, as JDBC's ``setAutoCommit`` does. pg8000 would leave it open,
        and every later statement would be part of it: Alembic's ``autocommit_block`` asks for the isolation level
        first, which begins one.
        """
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        if value != self._autocommit:
            self.commit()
        self._autocommit = value

    def set_principal(self, principal_id: str, kind: str) -> None:
        """Let ``app.principal_id`` and ``app.principal_tipo`` be these until the transaction that comes next ends.

        They are sent ahead of its first statement, in the same message.
        """
        self._ahead = [_parse_message(_SET_PRINCIPAL, ()) + _bind_message((principal_id, kind)) + _EXECUTE]

    def read_only_with(self, settings: Mapping[str, str]) -> None:
        """Let the transaction that comes next be read-only, and ``settings`` be those of PostgreSQL until it ends.

        They are sent as :meth:`set_principal` sends its own, but by ``SET LOCAL``, which also a role can use that may
        not execute ``set_config``: what such a role reads cannot change them (docs/decisions/0015). ``SET`` takes no
        parameters, so names and values are held to :data:`_SETTING_NAME` and :data:`_SETTING_VALUE`.

        Raises:
            ValueError: when a name or value has other characters.
        """
        self._ahead = [_statement_message(_set_local(name, value)) for name, value in settings.items()]
        self._is_read_only = True

    def commit_with_next(self) -> None:
        """Send ``COMMIT`` behind the statement that comes next, in the same message; nothing is committed if it fails.

        A statement without parameters is sent without it: :meth:`commit` is called in any case, and does what is left.
        """
        self._commits_with_next = True

    def commit(self) -> None:
        self._forget_ahead()
        if self._in_transaction:
            self.execute_simple("commit")

    def rollback(self) -> None:
        self._forget_ahead()
        if self._in_transaction:
            self.execute_simple("rollback")

    def ask(self, statement: str, values: Any, oids: Any) -> Any:  # noqa: ANN401 - pg8000's Context
        """Execute ``statement``, which begins a transaction unless one is open: one message, one answer.

        One ``Sync`` ends all of it, so what follows a failure is passed over: the statement when beginning fails,
        instead of being committed alone, and ``COMMIT`` when the statement does.
        """
        wanted = _BEGIN_READ_ONLY if self._is_read_only else _BEGIN
        begin = b"" if self._in_transaction or self.autocommit else wanted
        ahead = self._ahead
        commit = _COMMIT if self._commits_with_next else b""
        self._forget_ahead()
        bind = _bind_message(make_params(self.py_types, values))
        context = Context(statement)
        self._statements_ahead = bool(begin) + len(ahead)
        asked = _parse_message(statement, tuple(oids)) + bind + _DESCRIBE_AND_EXECUTE
        self._sock.write(b"".join((begin, *ahead, asked, commit, _SYNC)))
        self._sock.flush()
        self.handle_messages(context)
        return context

    def send_ahead(self) -> None:
        """Send what waits ahead of a statement that does not go through :meth:`ask`; begins a transaction.

        That statement's own ``BEGIN`` falls away, so it costs no round trip here either. No ``COMMIT`` goes with it.
        """
        self._commits_with_next = False
        if self._ahead:
            self.ask(_NOTHING, (), ())

    def _forget_ahead(self) -> None:
        """No transaction leaves to the next one what it did not send."""
        self._ahead = []
        self._is_read_only = False
        self._commits_with_next = False

    def handle_messages(self, context: Any) -> None:  # noqa: ANN401
        """As pg8000's, with half of its calls: this is where reading an answer spends its time.

        A connection whose answer was not read to its end is not used again: the next statement would read the rest.
        """
        try:
            self._read_until_ready(context)
        except BaseException:
            self._is_broken = True
            self._transaction_status = IDLE  # there is nothing left to roll back
            raise
        if context.error is not None:
            raise context.error

    def _read_until_ready(self, context: Any) -> None:  # noqa: ANN401
        read, handlers, code = self._sock.read, self.message_types, None
        while code != _READY_FOR_QUERY:
            header = read(5)
            code, length = header[:1], int.from_bytes(header[1:], "big") - 4
            data = read(length) if length > 0 else b""
            if len(header) + len(data) < 5 + length:
                raise _network_error()
            if self._statements_ahead and code in _RESULT_CODES:  # of BEGIN and of settings
                self._statements_ahead -= code == _COMMAND_COMPLETE
                continue
            handlers[code](data, context)
        self._statements_ahead = 0  # one that failed did not complete

    def handle_ROW_DESCRIPTION(self, data: bytes, context: Any) -> None:  # noqa: ANN401, N802 - pg8000's name
        """What describes the same columns in the same bytes is read once."""
        columns = self._descriptions.get(data)
        if columns is None:
            super().handle_ROW_DESCRIPTION(data, context)
            if len(self._descriptions) >= _DESCRIPTIONS_REMEMBERED:
                self._descriptions.clear()
            self._descriptions[data] = context.columns
            return
        context.columns = columns
        context.input_funcs = [self.pg_types[column["type_oid"]] for column in columns]
        context.rows = context.rows or []


class Cursor(pg8000.Cursor):  # type: ignore[misc]
    """A pg8000 cursor that remembers where the placeholders of a statement are."""

    _input_oids: Any

    def execute(self, operation: str, args: Any = (), stream: Any = None) -> None:  # noqa: ANN401
        connection = self._c
        if not args or stream is not None or connection is None or connection._sock is None:  # noqa: SLF001
            if connection is not None:
                connection.send_ahead()
            super().execute(operation, args, stream)
            return
        statement = operation if isinstance(operation, Numbered) else _numbered(operation)
        context = connection.ask(statement, args, self._input_oids)
        self._context = context
        self._row_iter = None if context.rows is None else iter(context.rows)
        self._input_oids = ()
        self.input_types: list[Any] = []


class _Stream:
    """The stream of a pg8000 connection, whose every failure is the same one."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - makefile()'s, of a plain or of a TLS socket
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except OSError as error:
            raise _network_error() from error
        return data

    def write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except OSError as error:
            raise _network_error() from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise _network_error() from error


def _connect_by_tcp(options: dict[str, Any]) -> Connection:
    """Over a socket that is closed here: pg8000 leaves one open over which it could not agree about TLS."""
    connection = socket.create_connection((options["host"], options["port"]), options["timeout"])
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return Connection(**options, sock=connection)
    except BaseException:
        connection.close()
        raise


@lru_cache(maxsize=_STATEMENTS_REMEMBERED)
def _numbered(operation: str) -> str:
    """The statement with ``$1`` for ``%s``."""
    numbered: str = convert_paramstyle("format", operation, ())[0]
    return numbered


@lru_cache(maxsize=_STATEMENTS_REMEMBERED)
def _parse_message(statement: str, oids: tuple[int, ...]) -> bytes:
    types = b"".join(struct.pack("!i", max(oid, 0)) for oid in oids)
    body = b"\x00" + statement.encode() + b"\x00" + struct.pack("!H", len(oids)) + types
    return b"P" + struct.pack("!i", len(body) + 4) + body


def _bind_message(params: Any) -> bytes:  # noqa: ANN401 - texts and None, as pg8000 makes them
    """The parameters as text, for the statement and the portal without a name; answers as text, too."""
    values = [None if value is None else value.encode() for value in params]
    fields = b"".join(_NULL if value is None else struct.pack("!i", len(value)) + value for value in values)
    body = b"\x00\x00\x00\x00" + struct.pack("!H", len(values)) + fields + b"\x00\x00"
    return b"B" + struct.pack("!i", len(body) + 4) + body


def _statement_message(statement: str) -> bytes:
    """All parts of a statement whose answer has no rows."""
    return _parse_message(statement, ()) + _bind_message(()) + _EXECUTE


def _set_local(name: str, value: str) -> str:
    if not (_SETTING_NAME.fullmatch(name) and _SETTING_VALUE.fullmatch(value)):
        raise ValueError(f"{name} cannot be set to this value")
    return f"SET LOCAL {name} = '{value}'"


_BEGIN, _BEGIN_READ_ONLY, _COMMIT = map(_statement_message, ("begin", "begin read only", "commit"))


def _network_error() -> Exception:
    """In the words of pg8000: SQLAlchemy recognises a lost connection by them."""
    error: Exception = pg8000.InterfaceError("network error")
    return error
