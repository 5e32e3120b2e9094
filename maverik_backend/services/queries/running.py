"""Runs statements that passed the fence, in a database that was seen to be safe to ask."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from maverik_backend.core.data_sources import DataSource
from maverik_backend.core.database import commit_with_next
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.errors import Cancelled, UpstreamError, UpstreamQueryFailed, UpstreamTimeout, UpstreamUnsafe
from maverik_backend.services.queries import store
from maverik_backend.services.queries.definition import DeclaredQuery, Definition, ParameterValue
from maverik_backend.services.queries.reading import ReadDefinition
from maverik_backend.services.queries.results import Column, Row, columns_of, rows_of
from maverik_backend.services.queries.statement import Statement

_log = structlog.get_logger(__name__)

SAFE_FOR_S = 300.0
"""How long a source is taken to be safe once it was seen to be: what a role is granted may change."""
VALUES_KEPT_FOR_S = 60.0
MAX_COLUMN_VALUES = 500
_MAX_KEPT_VALUES = 256
_PROJECT = re.compile(r"[A-Za-z0-9_.:@-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """On whose behalf a question is asked: what row-level security in the source can read.

    ``project`` is ``current_setting('app.project_id', true)`` there; the principal is ``'app.principal_id'`` and
    ``'app.principal_tipo'``, empty without one. It comes from configuration, never from a question.
    """

    project: str
    principal: Principal | None = None

    def __post_init__(self) -> None:
        if not _PROJECT.fullmatch(self.project):
            raise ValueError("a project is named by at most 100 letters, digits and _ . : @ -")

    def settings(self) -> dict[str, str]:
        """The settings of a transaction on its behalf."""
        return {
            "app.project_id": self.project,
            "app.principal_id": self.principal.key if self.principal else "",
            "app.principal_tipo": self.principal.kind.value if self.principal else "",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a statement returned; ``is_truncated``: the source has more rows than these."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    is_truncated: bool


class Runner:
    """Runs statements of one definition. Safe to use from several threads."""

    def __init__(self, source: DataSource, read: ReadDefinition) -> None:
        self._source = source
        self._definition: Definition = read.definition
        self._statements = read.statements
        self._value_statements = read.value_statements
        self._lock = threading.Lock()
        self._safe_until = 0.0
        self._values: dict[tuple[str, ...], tuple[float, tuple[str, ...]]] = {}

    def run(
        self,
        statement: Statement,
        values: Mapping[str, ParameterValue],
        *,
        asker: Asker,
        deadline: Deadline,
        row_limit: int | None = None,
    ) -> Rows:
        """What ``statement`` returns for ``asker``, up to ``row_limit`` rows (the definition's, unless it is given).

        Raises:
            UpstreamUnsafe: the role may write, or reads rows of other projects; nothing was asked.
            UpstreamError: the source could not be reached, took too long, or does not run the statement.
            Cancelled: ``deadline`` was cancelled, before or while the source was asked.
        """
        limit = row_limit or self._definition.row_limit
        started = time.monotonic()
        with self._logged():
            self._require_safety(asker, deadline)
            with self._transaction(asker, deadline) as db:
                commit_with_next(db)
                found = store.run(db, statement=statement, values=values, row_limit=limit + 1)
            rows = rows_of(found.rows[:limit])
        _log.info(
            "data_query_run",
            source=self._source.name,
            project=asker.project,
            rows=len(rows),
            duration_ms=round((time.monotonic() - started) * 1000, 1),
        )
        return Rows(columns=columns_of(found.columns), rows=rows, is_truncated=len(found.rows) > len(rows))

    def column_values(
        self, *, asker: Asker, deadline: Deadline, query: DeclaredQuery | None = None
    ) -> dict[str, tuple[str, ...]]:
        """What the columns hold that parameters (of ``query``, or all) take values from; kept for a minute.

        The columns are named ``table.column``.

        Raises:
            as :meth:`run`.
        """
        wanted = None if query is None else {parameter.values_from for parameter in query.parameters.values()}
        return {
            place: self._values_of(place, asker, deadline)
            for place in self._value_statements
            if wanted is None or place in wanted
        }

    def problems(self, *, asker: Asker, deadline: Deadline) -> list[str]:
        """Everything for which the source would refuse or fail, a sentence each; for operators.

        Raises:
            UpstreamError: the source could not be asked.
        """
        with self._transaction(asker, deadline) as db:
            problems = [*self._dangers(db), *self._lacks(db)]
        return [*problems, *self._failing(asker, deadline)]

    def _failing(self, asker: Asker, deadline: Deadline) -> Iterator[str]:
        """The declared queries that the source does not run, asked for no row."""
        for name, statement in self._statements.items():
            try:
                with self._transaction(asker, deadline) as db:
                    store.run(db, statement=statement, values={}, row_limit=0)
            except UpstreamQueryFailed as error:
                yield f"queries.{name}.sql: the database does not run it (SQLSTATE {error.sqlstate})."

    def _values_of(self, place: str, asker: Asker, deadline: Deadline) -> tuple[str, ...]:
        key = (place, *asker.settings().values())
        now = time.monotonic()
        with self._lock:
            kept = self._values.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        found = self.run(self._value_statements[place], {}, asker=asker, deadline=deadline, row_limit=MAX_COLUMN_VALUES)
        values = tuple(str(row[0]) for row in found.rows if row[0] is not None)
        with self._lock:
            if len(self._values) >= _MAX_KEPT_VALUES:
                self._values.clear()
            self._values[key] = (now + VALUES_KEPT_FOR_S, values)
        return values

    @contextmanager
    def _transaction(self, asker: Asker, deadline: Deadline) -> Iterator[Connection]:
        if deadline.is_cancelled:
            raise Cancelled
        if deadline.passed:
            raise UpstreamTimeout(f"data_source.{self._source.name}", "deadline")
        timeout_s = min(self._definition.timeout_s, deadline.remaining_s())
        with self._source.transaction(asker.settings(), timeout_s=timeout_s, cancellation=deadline.cancellation) as db:
            yield db

    def _require_safety(self, asker: Asker, deadline: Deadline) -> None:
        """Look at what the role may do before it is used, and again after :data:`SAFE_FOR_S`."""
        if time.monotonic() < self._safe_until:
            return
        with self._transaction(asker, deadline) as db:
            dangers = self._dangers(db)
        if dangers:
            raise UpstreamUnsafe(f"data_source.{self._source.name}", " ".join(dangers))
        self._safe_until = time.monotonic() + SAFE_FOR_S

    def _dangers(self, db: Connection) -> list[str]:
        variable = f"DATA_SOURCE_{self._source.name.upper()}_URL"
        powers = store.powers_of_role(db)
        dangers = [f"{variable}: its role {power}; use one that can only read." for power in powers]
        if self._definition.rows == "bound":
            dangers += [
                f"{variable}: its role reads every row of {table.name}; enable row-level security there for it, or "
                'write rows = "all" if all of them belong to the project.'
                for table in self._access(db)
                if table.is_open
            ]
        return dangers

    def _lacks(self, db: Connection) -> list[str]:
        variable = f"DATA_SOURCE_{self._source.name.upper()}_URL"
        return [
            f"{variable}: there is no table {table.name} in schema {self._definition.database_schema}."
            if table.is_missing
            else f"{variable}: its role may not read {table.name}."
            for table in self._access(db)
            if table.is_missing or table.is_hidden
        ]

    def _access(self, db: Connection) -> Sequence[store.TableAccess]:
        return store.access_to(db, schema=self._definition.database_schema, tables=tuple(self._definition.tables))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        try:
            yield
        except UpstreamError as error:
            _log.warning("data_query_failed", source=self._source.name, kind=error.kind, reason=error.reason)
            raise
