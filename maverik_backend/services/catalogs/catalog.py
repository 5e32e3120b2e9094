"""The questionnaire's catalogues: read once a process, and asked for texts and valid ids.

They change with a release and its migration, never under a running process, so nothing is ever read twice.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from maverik_backend.core.database import TransactionFactory
from maverik_backend.errors import DatabaseUnavailable, FieldError, InvalidInput
from maverik_backend.models import CATALOGS
from maverik_backend.texts import validation as texts

RETRY_AFTER_S = 1.0

Options = Mapping[int, str]


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
    """Hands out :class:`Catalogs`, read when they are first asked for."""

    def __init__(self, transaction: TransactionFactory) -> None:
        self._transaction = transaction
        self._lock = threading.Lock()
        self._kept: Catalogs | None = None
        self._failed_at = -RETRY_AFTER_S

    def get(self) -> Catalogs:
        """The catalogues.

        Raises:
            DatabaseUnavailable: when they are not at hand yet and cannot be read.
        """
        if self._kept is None:
            with self._lock:
                self._read_once()
        if self._kept is None:
            raise DatabaseUnavailable("it failed a moment ago")
        return self._kept

    def _read_once(self) -> None:
        """Read unless it is done, or failed just now: those who waited need not wait for the same failure again."""
        if self._kept is not None or monotonic() - self._failed_at < RETRY_AFTER_S:
            return
        try:
            with self._transaction() as session:
                self._kept = read(session)
        except DatabaseUnavailable:
            self._failed_at = monotonic()
            raise


def read(session: Session) -> Catalogs:
    """All catalogues, in one query."""
    rows = session.execute(
        union_all(*(select(literal(c.__tablename__).label("catalog"), c.id, c.desc) for c in CATALOGS)).order_by(
            "catalog", "id"
        )
    )
    options: dict[str, dict[int, str]] = {catalog.__tablename__: {} for catalog in CATALOGS}
    for catalog, option_id, text in rows:
        options[catalog][option_id] = text
    digest = hashlib.sha256(json.dumps(options, ensure_ascii=False).encode()).hexdigest()
    return Catalogs(options=options, etag=digest[:32])
