"""Turns a SELECT that is not ours into one that may be run, or refuses it with a sentence.

The text is parsed, held against :mod:`~maverik_backend.services.queries.grammar`, its names are resolved against the
tables and columns of the project, and what is run is written anew from the syntax tree: nothing of the original text
(comments, odd quoting, a second statement) can reach the database. This is the first fence; the role, the read-only
transaction and row-level security are the second (docs/decisions/0015).

The parser costs 0.1 s of processor time to import: this module is imported when the first definition is read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import ErrorLevel
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from maverik_backend.errors import QueryRefused
from maverik_backend.services.queries.definition import MAX_SQL_CHARS
from maverik_backend.services.queries.grammar import ALLOWED, FUNCTIONS, JOINS, SIDES, TYPES
from maverik_backend.services.queries.statement import ROW_LIMIT, Statement

# What it warns of quotes statements, which hold what people asked.
logging.getLogger("sqlglot").disabled = True

_DIALECT = "postgres"
MAX_PARENTHESES = 60
MAX_NODES = 1500
MAX_TABLES = 6
MAX_SELECTS = 8
MAX_JOINED_TEXTS = 12
"""``||`` and ``concat``: of texts that are made of texts, each more doubles what the database must hold."""
_POSTGRES_NAMES: dict[type[exp.Func], str] = {
    exp.TimestampTrunc: "date_trunc",
    exp.TimeToStr: "to_char",
    exp.StrPosition: "position",
    exp.CurrentTimestamp: "now",
}
_ONE_SELECT = "Write exactly one SELECT, without UNION, INTERSECT or EXCEPT."
_UNSUPPORTED = "The statement is written in a way that is not supported."
_KEYWORD = re.compile(r"[A-Za-z_ ]{1,30}")
_RESERVED = re.compile(r"pg_|information_schema", re.IGNORECASE)
_NAME_BYTES = 63  # PostgreSQL cuts longer names off, so two of them may become one


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """What may be read: by table, its columns. All tables are in ``schema``."""

    schema: str
    tables: Mapping[str, tuple[str, ...]]


def fenced(sql: str, *, readable: Readable, parameters: Mapping[str, str] | None = None) -> Statement:
    """``sql`` as a statement that may be run.

    ``parameters`` are the types that ``:name`` placeholders are cast to, by name; a text that a model wrote has none.

    Raises:
        QueryRefused: with one English sentence on what is not possible.
    """
    query = _parsed(sql)
    _check_nodes(query)
    _check_sizes(query)
    _name_outputs(query)
    query = _qualified(query, readable)
    _check_nodes(query)
    _check_names(query, readable)
    columns = tuple(query.named_selects)
    if not columns:
        raise QueryRefused("Select at least one column.")
    used = _number_placeholders(query, parameters or {})
    _limit(query, number=len(used) + 1)
    return Statement(sql=_rendered(query), parameters=(*used, ROW_LIMIT), columns=columns)


def _parsed(sql: str) -> exp.Select:
    if len(sql) > MAX_SQL_CHARS or sql.count("(") > MAX_PARENTHESES:
        raise QueryRefused(
            f"The statement is too long: at most {MAX_SQL_CHARS} characters, {MAX_PARENTHESES} parentheses."
        )
    if "\0" in sql:
        raise QueryRefused("The statement holds a null character.")
    with _refusing("This is not a statement that can be read as PostgreSQL's SQL."):
        tokens = sqlglot.tokenize(sql, read=_DIALECT)
        _check_tokens(tokens)
        statements = sqlglot.parse(sql.strip().rstrip(";"), read=_DIALECT)
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise QueryRefused(_ONE_SELECT)
    return statements[0]


def _check_tokens(tokens: Sequence[Token]) -> None:
    """Refuse what is no SELECT before it is parsed: the parser logs statements that it does not know."""
    if any(token.comments for token in tokens):
        raise QueryRefused("Write the statement without comments.")
    kinds = [token.token_type for token in tokens]
    while kinds and kinds[-1] is TokenType.SEMICOLON:
        kinds.pop()
    if not kinds or kinds[0] not in {TokenType.SELECT, TokenType.WITH} or TokenType.SEMICOLON in kinds:
        raise QueryRefused(_ONE_SELECT)


@contextmanager
def _refusing(reason: str) -> Iterator[None]:
    """Take whatever a library does with a hostile text, assertions and recursion included, for a refusal."""
    try:
        yield
    except QueryRefused:
        raise
    except Exception:  # noqa: BLE001
        raise QueryRefused(reason) from None


def _check_nodes(query: exp.Select) -> None:
    """Refuse every node whose class, or an argument of which, is not in the grammar."""
    for node in query.walk():
        allowed = ALLOWED.get(type(node))
        if allowed is None:
            raise QueryRefused(f"{_called(node)} cannot be used. Functions that can: {FUNCTIONS}.")
        for name, value in node.args.items():
            if value and name not in allowed:
                raise QueryRefused(f"{_called(node)} with {name.strip('_')} cannot be used.")
            if isinstance(value, str) and not isinstance(node, exp.Identifier | exp.Literal | exp.Placeholder):
                _check_keyword(value)
        _check_node(node)


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.DataType) and node.this not in TYPES:
        raise QueryRefused("Values can be cast to text, numbers, boolean, dates and times only.")
    if isinstance(node, exp.Join) and not (node.kind in JOINS and node.side in SIDES):
        raise QueryRefused("Tables can be joined with JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN and CROSS JOIN only.")
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        raise QueryRefused("FROM can name tables and subqueries only.")
    if isinstance(node, exp.TableAlias) and node.args.get("columns") and isinstance(node.parent, exp.Table):
        raise QueryRefused("A table's columns cannot be renamed beside its alias: name them in SELECT.")
    if isinstance(node, exp.Identifier) and not _is_plain_name(node.name):
        raise QueryRefused("A name is empty, too long, or begins with pg_.")


def _is_plain_name(name: str) -> bool:
    return bool(name) and len(name.encode()) <= _NAME_BYTES and not _RESERVED.match(name) and name.isprintable()


def _check_keyword(value: str) -> None:
    if not _KEYWORD.fullmatch(value):
        raise QueryRefused("The statement uses a keyword that is not known.")


def _called(node: exp.Expr) -> str:
    """What to call a node in a sentence: a function by its name, anything else by its kind."""
    name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
    return re.sub(r"\W", "", name)[:40] or "This"


def _check_sizes(query: exp.Select) -> None:
    joined = sum(1 for _ in query.find_all(exp.DPipe)) + sum(
        len(node.expressions) for node in query.find_all(exp.Concat)
    )
    counts = (
        (sum(1 for _ in query.walk()), MAX_NODES, "parts"),
        (sum(1 for _ in query.find_all(exp.Table)), MAX_TABLES, "tables"),
        (sum(1 for _ in query.find_all(exp.Select)), MAX_SELECTS, "subqueries"),
        (joined, MAX_JOINED_TEXTS, "joined texts"),
    )
    for count, most, called in counts:
        if count > most:
            raise QueryRefused(f"The statement has too many {called}: at most {most}.")


def _name_outputs(query: exp.Select) -> None:
    """Name what is selected and has no name as PostgreSQL would: by its function."""
    for number, selected in enumerate(query.expressions, start=1):
        if not selected.output_name and not selected.is_star:
            function = selected
            while isinstance(function, exp.Window | exp.Filter | exp.Cast | exp.Paren):
                function = function.this
            name = _function_name(function) if isinstance(function, exp.Func) else f"column_{number}"
            selected.replace(exp.alias_(selected.copy(), name, quoted=True))


def _function_name(function: exp.Func) -> str:
    return _POSTGRES_NAMES.get(type(function), function.sql_name().lower())


def _qualified(query: exp.Select, readable: Readable) -> exp.Select:
    """The same with every table and column in full, and every ``*`` as the columns that may be read."""
    schema: dict[str, object] = {
        readable.schema: {name: dict.fromkeys(columns, "text") for name, columns in readable.tables.items()}
    }
    with _refusing(f"A table or column is not known. {_known(readable)}"):
        found = qualify(query, dialect=_DIALECT, schema=schema, db=readable.schema, quote_identifiers=True)
    if not isinstance(found, exp.Select):
        raise QueryRefused(_ONE_SELECT)
    for select in found.find_all(exp.Select):
        _put_outputs_in_full(select)
    return found


def _put_outputs_in_full(select: exp.Select) -> None:
    """Put what an output's name stands for in its place, within expressions of ORDER BY and in DISTINCT ON.

    PostgreSQL reads such a name as that of a column, which may be one that is not to be read.
    """
    outputs = {selected.alias: selected.this for selected in select.expressions if isinstance(selected, exp.Alias)}
    parts = (select.args.get("order"), select.args.get("distinct"))
    for column in [column for part in parts if part for column in part.find_all(exp.Column)]:
        is_of_select = column.find_ancestor(exp.Select) is select
        if is_of_select and not column.table and column.name in outputs and not _names_an_output(column):
            column.replace(outputs[column.name].copy())


def _known(readable: Readable) -> str:
    tables = "; ".join(f"{name} ({', '.join(columns)})" for name, columns in readable.tables.items())
    return f"There are: {tables}."


def _check_names(query: exp.Select, readable: Readable) -> None:
    """See for every table and column where it comes from, with no trust in what resolved them."""
    scopes = traverse_scope(query)
    if not any(table.db for table in query.find_all(exp.Table)):
        raise QueryRefused(f"Read at least one table. {_known(readable)}")
    named_queries = {id(table) for scope in scopes for table in _references(scope)}
    for table in query.find_all(exp.Table):
        is_readable = table.db == readable.schema and table.name in readable.tables
        if not is_readable and id(table) not in named_queries:
            raise QueryRefused(f"A table is not known. {_known(readable)}")
    seen = {id(column) for scope in scopes for column in scope.columns if _is_known(column, scope, readable)}
    for column in query.find_all(exp.Column):
        if id(column) not in seen and not _names_an_output(column):
            raise QueryRefused(f"A column is not known, or a whole row is used as a value. {_known(readable)}")
    if any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star)):
        raise QueryRefused("Name the columns instead of *.")


def _references(scope: Scope) -> Iterator[exp.Table]:
    """The tables of ``scope`` that are named queries of a WITH, and no tables of the database."""
    for table in scope.tables:
        if not table.db and isinstance(scope.sources.get(table.alias_or_name), Scope):
            yield table


def _is_known(column: exp.Column, scope: Scope, readable: Readable) -> bool:
    """Whether the column is one that may be read, or one that a subquery shows."""
    if not column.table or column.db:
        return False
    here: Scope | None = scope
    while here is not None:
        source = here.sources.get(column.table)
        if isinstance(source, exp.Table):
            return source.db == readable.schema and column.name in readable.tables.get(source.name, ())
        if isinstance(source, Scope):
            return isinstance(source.expression, exp.Query) and column.name in source.expression.named_selects
        here = here.parent
    return False


def _names_an_output(column: exp.Column) -> bool:
    """Whether it stands alone in ORDER BY and is an output's name: PostgreSQL takes the output then, and no column.

    Within an expression there, and in the ORDER BY of a window, PostgreSQL would take a column of that name.
    """
    ordered = column.parent
    order = ordered.parent if isinstance(ordered, exp.Ordered) else None
    select = order.parent if isinstance(order, exp.Order) else None
    is_alone = not column.table and isinstance(select, exp.Select) and select.args.get("order") is order
    return is_alone and isinstance(select, exp.Select) and column.name in select.named_selects


def _number_placeholders(query: exp.Select, types: Mapping[str, str]) -> tuple[str, ...]:
    """Put ``CAST($1 AS type)`` for each placeholder; the names in the order of their numbers."""
    used: list[str] = []
    for placeholder in list(query.find_all(exp.Placeholder)):
        name = placeholder.name
        if name not in types:
            raise QueryRefused(f"There is no parameter {name[:40]!r}." if types else "Placeholders cannot be used.")
        if name not in used:
            used.append(name)
        placeholder.replace(exp.cast(_numbered(used.index(name) + 1), types[name], dialect=_DIALECT))
    return tuple(used)


def _numbered(number: int) -> exp.Parameter:
    return exp.Parameter(this=exp.Literal.number(number))


def _limit(query: exp.Select, *, number: int) -> None:
    """Bound the rows by the parameter of that number, and by the statement's own limit where that is less."""
    bound: exp.Expr = exp.cast(_numbered(number), "bigint", dialect=_DIALECT)
    own = query.args.get("limit")
    if own is not None and not isinstance(own.expression, exp.Var):  # LIMIT ALL
        bound = exp.Least(this=own.expression.copy(), expressions=[bound])
    query.set("limit", exp.Limit(expression=bound))


def _rendered(query: exp.Select) -> str:
    """The statement, which must mean to the parser what the tree says."""
    with _refusing(_UNSUPPORTED):
        sql = _sql_of(query)
        if _sql_of(sqlglot.parse_one(sql, read=_DIALECT)) != sql:
            raise QueryRefused(_UNSUPPORTED)
    return sql


def _sql_of(query: exp.Expr) -> str:
    """The tree as text: every name quoted, and an error where the dialect cannot say something."""
    return query.sql(dialect=_DIALECT, comments=False, identify=True, unsupported_level=ErrorLevel.RAISE)
