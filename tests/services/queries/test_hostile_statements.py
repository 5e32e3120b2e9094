"""Two fences around SQL that a model wrote, tested one without the other: the parser, and the database."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import suppress

import pg8000  # type: ignore[import-untyped]
import pytest

from maverik_backend.core.data_sources import DataSource, DataSources
from maverik_backend.errors import QueryRefused, UpstreamError
from maverik_backend.services.queries import WRITTEN
from maverik_backend.services.queries.fence import Readable, fenced
from maverik_backend.services.queries.grammar import FUNCTIONS
from tests.support.dashboard import Dashboard, asker, deadline, make_part, questions
from tests.support.hostile_statements import HARMLESS, HOSTILE
from tests.support.log_lines import Lines

READABLE = Readable(schema="public", tables={"data_orders": ("customer", "warehouse", "order_type", "amount")})
SOON_S = 0.3
# What the role must not see: of another project, and of a column that it has no right to.
SECRETS = ("(otra)", "ORD-5", "nota interna")


def test_there_are_enough_of_them() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) > 150


class TestTheParser:
    @pytest.mark.parametrize("sql", HOSTILE)
    def test_refuses(self, sql: str) -> None:
        with pytest.raises(QueryRefused):
            fenced(sql, readable=READABLE)

    @pytest.mark.parametrize("sql", HOSTILE[:20])
    def test_says_what_is_possible_and_does_not_repeat_the_statement(self, sql: str) -> None:
        with pytest.raises(QueryRefused) as caught:
            fenced(sql, readable=READABLE)

        assert sql not in str(caught.value)
        assert str(caught.value).endswith(".")

    @pytest.mark.parametrize("sql", HARMLESS)
    def test_names_every_table_with_its_schema_and_bounds_the_rows(self, sql: str) -> None:
        statement = fenced(sql, readable=READABLE)

        assert 'FROM "public"."data_orders"' in statement.sql
        assert "LIMIT" in statement.sql
        assert statement.parameters == ("maverik_row_limit",)

    def test_puts_what_an_outputs_name_stands_for_where_postgresql_would_take_a_column(self) -> None:
        sql = "SELECT left(customer, 1) AS internal_note FROM data_orders ORDER BY internal_note || ''"

        assert """ORDER BY LEFT("data_orders"."customer", 1) || ''""" in fenced(sql, readable=READABLE).sql

    def test_writes_the_statement_anew(self) -> None:
        statement = fenced("select  customer\nfrom data_orders  where warehouse='x'", readable=READABLE)

        assert statement.sql == (
            'SELECT "data_orders"."customer" AS "customer" FROM "public"."data_orders" AS "data_orders" '
            """WHERE "data_orders"."warehouse" = 'x' LIMIT CAST($1 AS BIGINT)"""
        )

    def test_names_what_has_no_name_by_its_function(self) -> None:
        sql = (
            "SELECT count(*), date_trunc('month', current_date)::date, sum(amount) OVER (), customer, amount * 2, "
            "(round(amount)) FROM data_orders"
        )

        assert fenced(sql, readable=READABLE).columns == (
            *("count", "date_trunc", "sum", "customer", "column_5", "round"),
        )

    def test_gives_a_star_the_columns_that_may_be_read(self) -> None:
        statement = fenced("SELECT o.* FROM data_orders AS o", readable=READABLE)

        assert statement.columns == ("customer", "warehouse", "order_type", "amount")

    @pytest.mark.parametrize("function", FUNCTIONS.split(", "))
    def test_every_function_that_models_are_told_of_can_be_used(self, function: str) -> None:
        arguments = {
            "count": "*", "coalesce": "customer, 'x'", "nullif": "amount, 0", "greatest": "amount, 1",
            "least": "amount, 1", "left": "customer, 1", "right": "customer, 1", "substring": "customer, 1, 2",
            "position": "'a' IN customer", "concat": "customer, 'x'", "extract": "year FROM current_date",
            "date_trunc": "'month', current_date", "to_char": "amount, '999'", "now": "",
        }  # fmt: skip
        of_text = {"lower", "upper", "trim", "length"}
        call = f"{function}({arguments.get(function, 'customer' if function in of_text else 'amount')})"
        if function in {"row_number", "rank", "dense_rank", "lag", "lead"}:
            call = f"{function}({'amount' if function in {'lag', 'lead'} else ''}) OVER (ORDER BY amount)"
        call = "current_date" if function == "current_date" else call

        assert fenced(f"SELECT {call} FROM data_orders", readable=READABLE).columns  # noqa: S608 - names of this test


@pytest.fixture
def sources(dashboard: Dashboard) -> Iterator[DataSources]:
    """Connections of the test's own: a hostile statement may leave something behind in one (``LISTEN``)."""
    with dashboard.sources() as sources:
        yield sources


@pytest.fixture
def source(sources: DataSources) -> DataSource:
    found = sources.get("miempresa")
    assert found is not None
    return found


def told_raw(source: DataSource, sql: str) -> str:
    """Everything that the database says to ``sql`` itself, past the parser, in a transaction of a question."""
    try:
        with source.transaction({**asker().settings(), "search_path": "public"}, timeout_s=SOON_S) as db:
            context = db.connection.driver_connection.ask(sql, (), ())  # type: ignore[union-attr]
            return str(context.rows)
    except (UpstreamError, pg8000.Error):
        return ""


def fingerprint(dashboard: Dashboard) -> tuple[object, ...]:
    with dashboard.owner.connect() as db:
        row = db.exec_driver_sql(
            "SELECT (SELECT md5(string_agg(o::text, '|' ORDER BY id)) FROM data_orders AS o),"
            " (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_largeobject_metadata),"
            " (SELECT relrowsecurity FROM pg_class WHERE relname = 'data_orders'),"
            " (SELECT relacl::text FROM pg_class WHERE relname = 'data_orders'),"
            " (SELECT last_value FROM data_orders_id_seq)"
        ).one()
        return tuple(row)


class TestTheDatabase:
    """The role, the read-only transaction and row-level security, with statements that no parser has seen."""

    @pytest.fixture(autouse=True)
    def _unchanged(self, dashboard: Dashboard) -> Iterator[None]:
        before = fingerprint(dashboard)
        yield
        assert fingerprint(dashboard) == before

    def test_nothing_is_written_and_no_row_of_others_is_read(self, source: DataSource) -> None:
        told = {sql: told_raw(source, sql) for sql in HOSTILE if "\0" not in sql}

        assert {sql for sql, text in told.items() if any(secret in text for secret in SECRETS)} == set()
        # Some do read something, of catalogues or of the project's own rows: what the parser alone keeps away.
        assert len(list(filter(None, told.values()))) > 20

    def test_what_it_says_would_show_a_secret_if_there_was_one(self, source: DataSource) -> None:
        assert "Acme Logistics" in told_raw(source, "SELECT customer FROM data_orders")

    @pytest.mark.parametrize("sql", ["SET app.project_id = 'otra_empresa'", "SET SESSION statement_timeout = 0"])
    def test_what_a_statement_sets_for_the_session_holds_for_no_other_question(
        self, sources: DataSources, source: DataSource, sql: str
    ) -> None:
        told_raw(source, sql)

        answer = questions(sources).answer("How many orders are there?", asker=asker(), deadline=deadline())

        assert answer.text == "There are 360 orders."
        assert told_raw(source, "SELECT 'woke' FROM pg_sleep(20)") == ""

    def test_settings_of_the_project_cannot_be_changed_by_a_statement(self, source: DataSource) -> None:
        trick = (
            "WITH s AS MATERIALIZED (SELECT set_config('app.project_id', 'otra_empresa', true) AS v) "
            "SELECT customer FROM s, data_orders WHERE v IS NOT NULL"
        )

        assert told_raw(source, trick) == ""


def mutated(rng: random.Random) -> str:
    """A statement of the corpus with parts of others in it, or without some of its own."""
    parts = _PART.findall(rng.choice(SHORT))
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(parts) + 1)
        others = _PART.findall(rng.choice(SHORT))
        start = rng.randrange(len(others))
        removed = rng.randint(0, 2)
        parts[place : place + removed] = others[start : start + rng.randint(0, 8)]
    return "".join(parts)


_PART = re.compile(r"\w+|\s+|[^\w\s]")
SHORT = [sql for sql in (*HOSTILE, *HARMLESS) if 0 < len(sql) < 600]


def test_mutated_statements_are_refused_or_harmless(data_sources: DataSources, lines: Lines) -> None:
    asked = questions(data_sources, make_part(row_limit=50, timeout_s=SOON_S))
    rng = random.Random(20261121)  # noqa: S311 - no secret
    told: list[str] = []
    for _ in range(3000):
        with suppress(QueryRefused, UpstreamError):
            told.append(str(asked.run(WRITTEN, {"sql": mutated(rng)}, asker=asker(), deadline=deadline()).rows))

    assert len(told) > 5
    assert [text for text in told if any(secret in text for secret in (*SECRETS, "dashboard_miempresa"))] == []
    assert not any("SELECT" in str(line) for line in lines.all)


def test_what_the_parser_warns_of_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    for sql in HOSTILE:
        with suppress(QueryRefused):
            fenced(sql, readable=READABLE)

    assert caplog.records == []


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_harmless_select_is_run(data_sources: DataSources, sql: str) -> None:
    asked = questions(data_sources, make_part(row_limit=20))

    result = asked.run(WRITTEN, {"sql": sql}, asker=asker(), deadline=deadline())

    assert len(result.columns) == len({column.name for column in result.columns})
    assert len(result.rows) <= 20
