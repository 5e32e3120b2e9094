"""Everything held about a principal, as one JSON document that is never in memory as a whole (Ley 25.326, article 14).

The document is ``{"<table>": [<row>, ...], ...}``, tables by name, rows by id (turns by session, then by id).

=============  ========================================================================================================
Rule           Value
=============  ========================================================================================================
Reading        by keyset, :data:`ROWS_PER_READ` rows a statement, in short transactions that end once
               :data:`CHUNK_BYTES` of the document are made or :data:`READS_PER_TRANSACTION` statements were sent; no
               connection is held while the reader takes them
Consistency    what there was when the export began, each row as it is when it is read (``READ COMMITTED``). Rows added
               since then are left out, rows deleted meanwhile are missing, rows changed meanwhile are the new ones
Login          looked at again in every transaction: the export of a login that is closed, or of a person who is
               erased, ends there
At once        one export for a person, :data:`MAX_PER_ADDRESS` for an address, :data:`MAX_AT_ONCE` in a process: slow
               readers hold no connection, so their number has nothing to do with the pool. So many pieces are read at
               once that most connections stay free for others
How long       :data:`MAX_DURATION_S`, for readers that take little at a time
How often      ``Action.EXPORT`` of services/limits/throttle.py
=============  ========================================================================================================
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.tokens import AccessClaims
from maverik_backend.errors import AddressBusy, Overloaded, TooManyAtOnce
from maverik_backend.models import SecurityEvent
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts import login as logins
from maverik_backend.services.accounts.store import own_data
from maverik_backend.services.accounts.store.own_data import Part
from maverik_backend.services.limits import Action, ConcurrencyLimiter, Share, Throttle

# A turn has at most 24,000 characters (a message of 8,000, an answer of 16,000): 96 KB in UTF-8.
ROWS_PER_READ = 20
CHUNK_BYTES = 256 * 1024
READS_PER_TRANSACTION = 40
MAX_AT_ONCE = 40
MAX_PER_ADDRESS = 2
MAX_DURATION_S = 900.0
# How long a piece may wait for the pieces of others.
MAX_WAIT_S = 10.0
_POOL_SHARE = 4

_ROW = TypeAdapter(dict[str, Any])


class Exports:
    """Exports what is held about people."""

    def __init__(self, *, transaction: TransactionFactory, throttle: Throttle, pool_size: int) -> None:
        """``pool_size`` is how many connections ``transaction`` has: a quarter of them may be reading at once."""
        self._transaction = transaction
        self._throttle = throttle
        self._concurrency = ConcurrencyLimiter(MAX_AT_ONCE)
        self._reading = BoundedSemaphore(max(1, pool_size // _POOL_SHARE))

    def stream(self, *, claims: AccessClaims, client_info: ClientInfo) -> Generator[bytes, None, None]:
        """The document in pieces. It has its slot from the first piece until it ends or is closed.

        Raises:
            Overloaded, TooManyAtOnce, AddressBusy, TooManyTries, NotAuthenticated: before the first piece; the last
                one, and Overloaded after :data:`MAX_DURATION_S` or :data:`MAX_WAIT_S`, at any time after: then the
                document is cut off and must not pass for a whole one.
        """
        principal = Share.of_principal(claims.principal, limit=1, refusal=TooManyAtOnce)
        address = Share(kind="address", key=client_info.limit_address, limit=MAX_PER_ADDRESS, refusal=AddressBusy)
        with self._concurrency.slot(principal, address):
            self._throttle.count(Action.EXPORT, claims.principal.key)
            with self._read(claims) as db:
                logins.authenticate(db, claims, for_key_share=True)
                tables = own_data.get_parts(db, principal_id=claims.principal.id)
                events.record(db, SecurityEvent.DATA_EXPORTED, user_id=claims.user_id, client_info=client_info)
            yield from self._chunks(claims, _Document(tables))

    def _chunks(self, claims: AccessClaims, document: _Document) -> Iterator[bytes]:
        deadline = Deadline.after(MAX_DURATION_S)
        while not document.is_complete:
            if deadline.passed:
                raise Overloaded
            with self._read(claims) as db:
                logins.authenticate(db, claims)
                chunk = document.next_chunk(db)
            yield chunk

    @contextmanager
    def _read(self, claims: AccessClaims) -> Iterator[Connection]:
        """A transaction, begun once few enough others are reading."""
        if not self._reading.acquire(timeout=MAX_WAIT_S):
            raise Overloaded
        try:
            with self._transaction(claims.principal) as db:
                yield db
        finally:
            self._reading.release()


class _Document:
    """The document as it is written: what comes next, and how far its rows are read."""

    def __init__(self, tables: dict[str, list[Part]]) -> None:
        self.is_complete = False
        self._db: Connection
        self._reads = 0
        self._pieces = self._write(tables)

    def next_chunk(self, db: Connection) -> bytes:
        """Write on, reading from ``db``, until the transaction has done its share or the document has ended."""
        self._db = db
        self._reads = 0
        chunk = bytearray()
        for piece in self._pieces:
            chunk += piece
            if len(chunk) >= CHUNK_BYTES or self._reads >= READS_PER_TRANSACTION:
                return bytes(chunk)
        self.is_complete = True
        return bytes(chunk)

    def _write(self, tables: dict[str, list[Part]]) -> Iterator[bytes]:
        for number, (name, parts) in enumerate(tables.items()):
            yield f'{"," if number else "{"}"{name}":['.encode()
            separator = b""
            for row in self._rows(parts):
                yield separator + _ROW.dump_json(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it
                separator = b","
            yield b"]"
        yield b"}"

    def _rows(self, parts: list[Part]) -> Iterator[Row[Any]]:
        for part in parts:
            after = 0
            while after < part.last:
                rows = part.read(self._db, after=after, limit=ROWS_PER_READ)
                self._reads += 1
                yield from rows
                # The last row may have been deleted since: then nothing more comes.
                after = rows[-1].id if rows else part.last
