"""Which databases are asked, for how long, and what is told when they are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from maverik_backend.core.data_sources import DataSources
from maverik_backend.core.deadline import Cancellation, Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.errors import (
    Cancelled,
    QueryRefused,
    SettingsError,
    UpstreamError,
    UpstreamQueryFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamUnsafe,
)
from maverik_backend.services.queries import WRITTEN, Asker, DataQuestions, QueryResult, read
from maverik_backend.settings import DataSourceSettings
from tests.support.dashboard import PROJECT, READER, Dashboard, asker, deadline, make_part, questions
from tests.support.log_lines import Lines
from tests.support.processes import free_port

COUNT = "SELECT count(*) FROM data_orders"
SLOW = (
    "SELECT count(*) FROM data_orders a, data_orders b, data_orders c, data_orders d "
    "WHERE a.customer || b.customer || c.customer || d.customer = 'x'"
)


def select(asked: DataQuestions, sql: str = COUNT, **context: Any) -> QueryResult:
    return asked.run(WRITTEN, {"sql": sql}, **{"asker": asker(), "deadline": deadline(), **context})


AskAs = Callable[..., Any]


@pytest.fixture
def ask_as(dashboard: Dashboard) -> Iterator[AskAs]:
    """``ask_as("GRANT ... TO {role}")``: questions asked by a new role with the rights of the example's and these."""
    made: list[str] = []

    @contextmanager
    def asking(*grants: str, **part: Any) -> Iterator[DataQuestions]:
        role = f"reader_{time.monotonic_ns()}"
        dashboard.add_reader(role)
        made.append(role)
        for grant in (f"GRANT {READER} TO {{role}}", *grants):
            dashboard.execute(grant.format(role=role))
        with dashboard.sources(dashboard.url(role=role)) as sources:
            yield questions(sources, make_part(**part))

    yield asking
    for role in made:
        dashboard.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


class TestARoleThatMayDoMore:
    @pytest.mark.parametrize(
        ("grant", "power"),
        [
            ("GRANT INSERT ON data_orders TO {role}", "can write to public.data_orders"),
            ("GRANT UPDATE (amount) ON data_orders TO {role}", "can write to public.data_orders"),
            ("GRANT TRUNCATE ON data_orders TO {role}", "can write to public.data_orders"),
            ("GRANT CREATE ON SCHEMA public TO {role}", "can create in schema public"),
            ("GRANT UPDATE ON SEQUENCE data_orders_id_seq TO {role}", "can change sequence public.data_orders_id_seq"),
            ("GRANT pg_write_all_data TO {role}", "is a member of pg_write_all_data"),
            ("GRANT pg_read_server_files TO {role}", "is a member of pg_read_server_files"),
            ("ALTER ROLE {role} SUPERUSER", "is a superuser"),
            ("ALTER ROLE {role} BYPASSRLS", "bypasses row-level security"),
        ],
    )
    def test_is_not_used(self, ask_as: AskAs, grant: str, power: str) -> None:
        with ask_as(grant) as asked:
            with pytest.raises(UpstreamUnsafe) as caught:
                select(asked)
            assert f"DATA_SOURCE_MIEMPRESA_URL: its role {power}" in str(caught.value)
            assert any(power in problem for problem in asked.problems(asker=asker(), deadline=deadline()))

    def test_is_used_once_it_may_no_more(self, ask_as: AskAs, dashboard: Dashboard) -> None:
        with ask_as("GRANT INSERT ON data_orders TO {role}") as asked:
            with pytest.raises(UpstreamUnsafe):
                select(asked)
            dashboard.execute("REVOKE INSERT ON data_orders FROM " + _newest_role(dashboard))

            assert select(asked).rows == ((360,),)

    def test_that_only_reads_is_used(self, ask_as: AskAs) -> None:
        with ask_as() as asked:
            assert asked.problems(asker=asker(), deadline=deadline()) == []
            assert select(asked).rows == ((360,),)


def _newest_role(dashboard: Dashboard) -> str:
    with dashboard.owner.connect() as db:
        found = db.exec_driver_sql("SELECT max(rolname) FROM pg_roles WHERE rolname LIKE 'reader_%'").scalar_one()
        return str(found)


@pytest.fixture
def open_table(dashboard: Dashboard) -> Iterator[str]:
    """A table without row-level security, and a view of it that is bound to the project."""
    dashboard.execute(
        "CREATE TABLE prices (project_name text, customer text, amount int);"
        "INSERT INTO prices VALUES ('dashboard_miempresa', 'mía', 1), ('otra_empresa', 'ajena', 2);"
        "CREATE VIEW my_prices WITH (security_barrier) AS SELECT customer, amount FROM prices"
        " WHERE project_name = current_setting('app.project_id', true);"
        "GRANT SELECT ON prices, my_prices TO miempresa_reader"
    )
    yield "prices"
    dashboard.execute("DROP TABLE prices CASCADE")


def part_over(table: str, **changes: Any) -> dict[str, Any]:
    columns = {"customer": "Cliente", "amount": "Precio"}
    return make_part(tables={table: {"description": "Precios", "columns": columns}}, **changes)


class TestWhoseRows:
    def test_a_table_that_shows_every_row_is_not_asked(self, data_sources: DataSources, open_table: str) -> None:
        with pytest.raises(UpstreamUnsafe, match="its role reads every row of prices"):
            select(questions(data_sources, part_over(open_table)), "SELECT customer FROM prices")

    def test_it_is_asked_where_all_rows_belong_to_the_project(self, data_sources: DataSources, open_table: str) -> None:
        result = select(questions(data_sources, part_over(open_table, rows="all")), "SELECT customer FROM prices")

        assert len(result.rows) == 2

    @pytest.mark.usefixtures("open_table")
    def test_a_view_may_bind_rows_to_the_project(self, data_sources: DataSources) -> None:
        result = select(questions(data_sources, part_over("my_prices")), "SELECT customer FROM my_prices")

        assert result.rows == (("mía",),)

    def test_policies_can_read_the_principal(self, dashboard: Dashboard, data_sources: DataSources) -> None:
        dashboard.execute(
            "CREATE VIEW who AS SELECT current_setting('app.principal_id', true) AS customer,"
            " current_setting('app.principal_tipo', true) AS amount;"
            f"GRANT SELECT ON who TO {READER}"
        )
        try:
            asked = questions(data_sources, part_over("who"))
            person = Asker(project=PROJECT, principal=Principal(id=41))
            assert select(asked, "SELECT * FROM who", asker=person).rows == (("41", "persona"),)
            assert select(asked, "SELECT * FROM who").rows == (("", ""),)
        finally:
            dashboard.execute("DROP VIEW who")

    @pytest.mark.parametrize("project", ["", "a b", "a'b", "x" * 101, "ñ"])
    def test_a_project_has_a_plain_name(self, project: str) -> None:
        with pytest.raises(ValueError, match="a project is named by"):
            Asker(project=project)


class TestBounds:
    def test_more_rows_than_allowed_are_cut_and_it_is_told(self, data_sources: DataSources) -> None:
        result = select(questions(data_sources, make_part(row_limit=7)), "SELECT customer FROM data_orders")

        assert (len(result.rows), result.is_truncated) == (7, True)
        assert result.sentence.endswith("Se muestran las primeras 7 filas; hay más.")

    def test_exactly_as_many_as_allowed_are_whole(self, data_sources: DataSources) -> None:
        result = select(questions(data_sources, make_part(row_limit=360)), "SELECT customer FROM data_orders")

        assert (len(result.rows), result.is_truncated) == (360, False)

    def test_a_limit_of_the_statement_is_no_cut(self, data_sources: DataSources) -> None:
        result = select(questions(data_sources, make_part(row_limit=7)), "SELECT customer FROM data_orders LIMIT 3")

        assert (len(result.rows), result.is_truncated) == (3, False)

    def test_a_statement_that_takes_too_long_is_ended(self, data_sources: DataSources) -> None:
        with pytest.raises(UpstreamTimeout) as caught:
            select(questions(data_sources, make_part(timeout_s=0.3)), SLOW)

        assert caught.value.reason == "timeout (statement_timeout)"

    def test_the_turns_own_deadline_ends_it_too(self, data_sources: DataSources) -> None:
        asked = questions(data_sources, make_part(timeout_s=30))
        select(asked)

        with pytest.raises(UpstreamTimeout):
            select(asked, SLOW, deadline=Deadline.after(0.3))

    def test_a_turn_that_was_stopped_asks_nothing(self, data_sources: DataSources) -> None:
        cancellation = Cancellation()
        cancellation.cancel()

        with pytest.raises(Cancelled):
            select(questions(data_sources, make_part()), deadline=Deadline.after(9, cancellation=cancellation))

    def test_a_turn_that_is_stopped_waits_no_longer(self, data_sources: DataSources) -> None:
        asked = questions(data_sources, make_part(timeout_s=30))
        select(asked)
        cancellation = Cancellation()
        stopping = threading.Timer(0.3, cancellation.cancel)
        stopping.start()
        began = time.monotonic()

        with pytest.raises(Cancelled):
            select(asked, SLOW, deadline=Deadline.after(60, cancellation=cancellation))

        assert time.monotonic() - began < 20
        assert select(asked).rows == ((360,),)

    def test_a_question_that_finds_no_connection_in_time_is_told_so(self, dashboard: Dashboard) -> None:
        settings = DataSourceSettings.isolated(urls={"miempresa": dashboard.url()}, pool_size=1, pool_timeout_s=0.2)
        sources = DataSources(settings)
        source = sources.get("miempresa")
        assert source is not None
        asked = questions(sources, make_part())
        with source.transaction(asker().settings(), timeout_s=30), pytest.raises(UpstreamTimeout, match="came free"):
            select(asked)
        assert select(asked).rows == ((360,),)
        sources.dispose()

    def test_questions_of_several_threads_are_answered(self, data_sources: DataSources) -> None:
        asked = questions(data_sources, make_part())
        found: list[QueryResult] = []
        threads = [threading.Thread(target=lambda: found.append(select(asked))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [result.rows for result in found] == [((360,),)] * 12


class TestTrouble:
    def test_a_source_without_an_address_stops_the_start(self) -> None:
        with pytest.raises(SettingsError) as caught:
            DataQuestions(read(make_part()), sources=DataSources(DataSourceSettings.isolated()))

        assert caught.value.problems == (
            "DATA_SOURCE_MIEMPRESA_URL is not set: it is where the data source miempresa is.",
        )

    def test_a_server_that_is_away_is_unreachable(self, dashboard: Dashboard) -> None:
        with dashboard.sources(dashboard.url(port=free_port())) as sources, pytest.raises(UpstreamUnreachable):
            select(questions(sources, make_part()))

    def test_a_wrong_password_is_too_and_is_not_quoted(self, dashboard: Dashboard, lines: Lines) -> None:
        with (
            dashboard.sources(dashboard.url(password="geheim-Xq7")) as sources,
            pytest.raises(UpstreamUnreachable) as caught,
        ):
            select(questions(sources, make_part()))

        assert caught.value.reason == "unreachable (SQLSTATE 28P01)"
        assert "geheim" not in str(lines.all)

    def test_a_table_that_is_not_there_is_told_to_operators(self, data_sources: DataSources) -> None:
        asked = questions(data_sources, part_over("faltante", rows="all"))

        assert asked.problems(asker=asker(), deadline=deadline()) == [
            "DATA_SOURCE_MIEMPRESA_URL: there is no table faltante in schema public."
        ]

    def test_a_query_that_the_database_does_not_run_is_told_to_operators(self, data_sources: DataSources) -> None:
        columns = {"customer": "Cliente", "faltante": "No existe"}
        part = make_part(
            tables={"data_orders": {"description": "Órdenes", "columns": columns}},
            queries=[
                {
                    "name": "missing",
                    "description": "x",
                    "sql": "SELECT faltante FROM data_orders",
                    "examples": ["qué falta"],
                    "sentence": {"es": {"zero": "0", "one": "1", "many": "{count}"}},
                }
            ],
        )

        assert questions(data_sources, part).problems(asker=asker(), deadline=deadline()) == [
            "queries.missing.sql: the database does not run it (SQLSTATE 42703)."
        ]

    def test_a_column_that_the_role_may_not_read_fails_without_its_words(self, data_sources: DataSources) -> None:
        columns = {"customer": "Cliente", "internal_note": "Nota"}
        part = make_part(
            tables={"data_orders": {"description": "Órdenes", "columns": columns}},
            queries=[
                {
                    "name": "notes",
                    "description": "Notas",
                    "sql": "SELECT internal_note FROM data_orders",
                    "examples": ["notas"],
                    "sentence": {"es": {"zero": "0", "one": "1", "many": "{count}"}},
                }
            ],
        )
        with pytest.raises(UpstreamQueryFailed) as caught:
            questions(data_sources, part).run("notes", {}, asker=asker(), deadline=deadline())

        assert str(caught.value) == "data_source.miempresa: query_failed (SQLSTATE 42501)"
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        ("sql", "reason"),
        [
            ("SELECT customer, count(*) FROM data_orders", "a column that is not in GROUP BY"),
            ("SELECT customer FROM data_orders WHERE customer = 3", "no operator or function takes values"),
            ("SELECT amount / 0 FROM data_orders", "it divides by zero"),
            ("SELECT customer FROM data_orders WHERE current_date = 'mañana'", "a date or time is not written as"),
        ],
    )
    def test_a_model_is_told_what_to_mend_in_its_select(self, data_sources: DataSources, sql: str, reason: str) -> None:
        with pytest.raises(QueryRefused, match=reason):
            select(questions(data_sources, make_part()), sql)

    def test_a_connection_that_was_cut_is_replaced(self, dashboard: Dashboard) -> None:
        with dashboard.sources() as sources:
            asked = questions(sources, make_part())
            select(asked)
            dashboard.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{READER}'")  # noqa: S608
            try:
                select(asked)
            except UpstreamError as error:
                assert error.kind == "unreachable"  # noqa: PT017 - the cut may or may not have arrived by then
            assert select(asked).rows == ((360,),)


def test_what_was_asked_is_logged_without_words_and_values(data_sources: DataSources, lines: Lines) -> None:
    select(questions(data_sources, make_part()), "SELECT customer FROM data_orders WHERE customer = 'Acme Logistics'")

    (line,) = [line for line in lines.of("data_query_run") if line["rows"]]
    assert (line["source"], line["project"], line["rows"]) == ("miempresa", PROJECT, 60)
    assert "Acme" not in str(line)
