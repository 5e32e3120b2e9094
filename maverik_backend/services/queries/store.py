"""What is asked of the databases of other systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from maverik_backend.core.postgres_driver import Numbered
from maverik_backend.services.queries.definition import ParameterValue
from maverik_backend.services.queries.statement import ROW_LIMIT, Statement


@dataclass(frozen=True, slots=True)
class Found:
    """Rows as the driver reads them; ``columns`` are names and types (OIDs)."""

    columns: tuple[tuple[str, int], ...]
    rows: Sequence[Sequence[object]]


def run(db: Connection, *, statement: Statement, values: Mapping[str, ParameterValue], row_limit: int) -> Found:
    """What ``statement`` returns, at most ``row_limit`` rows.

    It always has parameters, so it is sent by the protocol that takes a single statement.
    """
    given = {**values, ROW_LIMIT: row_limit}
    arguments = tuple(given.get(name) for name in statement.parameters)
    result = db.exec_driver_sql(Numbered(statement.sql), arguments)
    description: Any = result.cursor.description
    columns = tuple((str(column[0]), int(column[1])) for column in description)
    return Found(columns, [tuple(row) for row in result.all()])


# What makes a role unfit to read for other people. `has_..._privilege` counts what is granted to PUBLIC and to roles
# that it is a member of; of owners and superusers everything is true.
_POWERS = text("""
    SELECT 'is a superuser' FROM pg_roles WHERE rolname = current_user AND rolsuper AND :all
    UNION ALL
    SELECT 'bypasses row-level security' FROM pg_roles WHERE rolname = current_user AND rolbypassrls
    UNION ALL
    SELECT 'is a member of ' || rolname FROM pg_roles
    WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data',
                      'pg_signal_backend')
      AND pg_has_role(current_user, oid, 'MEMBER')
    UNION ALL
    SELECT 'can create in schema ' || nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT 'can write to ' || n.nspname || '.' || c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
    UNION ALL
    SELECT 'can change sequence ' || n.nspname || '.' || c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'UPDATE') END
    LIMIT 5
""")

# Tables whose every row the role would read, and tables that are not there or that it may not read.
_OPEN_TABLES = text("""
    SELECT wanted.name,
           c.oid IS NULL AS is_missing,
           c.oid IS NOT NULL AND NOT has_any_column_privilege(c.oid, 'SELECT') AS is_hidden,
           CASE WHEN c.relkind IN ('r', 'p', 'f', 'm') THEN NOT row_security_active(c.oid) END AS is_open
    FROM unnest(CAST(:names AS text[])) AS wanted (name)
    LEFT JOIN (pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = :schema)
           ON c.relname = wanted.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY wanted.name
""")


def powers_of_role(db: Connection) -> list[str]:
    """What the role may do that one which only reads may not, each as the end of a sentence; at most five."""
    return [str(power) for (power,) in db.execute(_POWERS, {"all": True})]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAccess:
    """What the role may read of a table. ``is_open``: all its rows, since no row-level security is active for it.

    Of a view nothing is known: it is written by who declares it.
    """

    name: str
    is_missing: bool
    is_hidden: bool
    is_open: bool


def access_to(db: Connection, *, schema: str, tables: Sequence[str]) -> list[TableAccess]:
    """What the role may read of each of ``tables``."""
    rows = db.execute(_OPEN_TABLES, {"names": list(tables), "schema": schema}).mappings()
    return [TableAccess(**{**row, "is_open": bool(row["is_open"])}) for row in rows]
