"""Catalogues in memory. They change with a release and its migration only, so a process reads them once."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable, FieldError, InvalidInput
from maverik_backend.services.catalogs import store
from maverik_backend.services.catalogs.store import Options
from maverik_backend.texts import validation as texts

RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Catalogs:
    """Every catalogue as it was read: table name -> id -> text, in order of id."""

    options: Mapping[str, Options]
    etag: str

    def text(self, catalog: str, option_id: int | None) -> str | None:
        """The text of an option, ``None`` for no option."""
        return None if option_id is None else self.options[catalog].get(option_id)

    def check(self, fields: Mapping[str, int | None]) -> None:
        """Require each ``<catalog>_id`` to be one of its catalogue's ids or ``None``.

        Raises:
            InvalidInput: naming every field that is not, with the ids that would be.
        """
        wrong = [
            FieldError(field, texts.UNKNOWN_OPTION, tuple(options))
            for field, value in fields.items()
            if value is not None and value not in (options := self.options[field.removesuffix("_id")])
        ]
        if wrong:
            raise InvalidInput(wrong)


class CatalogCache:
    """Holds :class:`Catalogs`, read on first use. Safe to use from several threads."""

    def __init__(self, transaction: TransactionFactory) -> None:
        self._transaction = transaction
        self._lock = threading.Lock()
        self._cached: Catalogs | None = None
        self._failed_at = -RETRY_AFTER_S

    def get(self) -> Catalogs:
        """The catalogues.

        Raises:
            DatabaseUnavailable: when they are not cached and cannot be read.
        """
        if self._cached is None:
            with self._lock:
                self._read_unless_cached()
        if self._cached is None:
            raise DatabaseUnavailable("reading the catalogues failed within the last second")
        return self._cached

    def _read_unless_cached(self) -> None:
        """Read unless they are cached or reading has just failed: threads that waited for the lock share a failure."""
        if self._cached is not None or monotonic() - self._failed_at < RETRY_AFTER_S:
            return
        try:
            with self._transaction() as db:
                self._cached = _read(db)
        except DatabaseUnavailable:
            self._failed_at = monotonic()
            raise


def _read(db: Connection) -> Catalogs:
    options = store.get_options(db)
    digest = hashlib.sha256(json.dumps(options, ensure_ascii=False).encode()).hexdigest()
    return Catalogs(options=options, etag=digest[:32])
