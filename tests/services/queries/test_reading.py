"""What a definition may hold, and the sentence for each fault."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from copy import deepcopy
from typing import Any

import pytest

from maverik_backend.errors import SettingsError
from maverik_backend.services.queries import WRITTEN, DataQuestions, read
from tests.support.dashboard import example_part, make_part, questions
from tests.support.paths import ROOT

SENTENCE = {"es": {"zero": "Nada.", "one": "Una.", "many": "Hay {count}."}}


def make_query(**changes: Any) -> dict[str, Any]:
    return {
        "name": "total",
        "description": "Cantidad",
        "sql": "SELECT count(*) AS orders FROM data_orders",
        "examples": ["¿Cuántas órdenes hay?"],
        "sentence": SENTENCE,
        **changes,
    }


def make_parameter(**changes: Any) -> dict[str, Any]:
    return {"type": "choice", "description": "el tipo", "values": ["Inbound", "Outbound"], **changes}


BY_TYPE = {
    "sql": "SELECT count(*) AS orders FROM data_orders WHERE order_type = :kind",
    "examples": ["órdenes {kind}"],
}


def with_query(**changes: Any) -> dict[str, Any]:
    return make_part(queries=[make_query(**changes)])


def with_parameter(**changes: Any) -> dict[str, Any]:
    return with_query(**BY_TYPE, parameters={"kind": make_parameter(**changes)})


def problems_of(part: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(part)
    return caught.value.problems


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({}, "source cannot be used: field required."),
        (make_part(source="Otra Fuente"), "source cannot be used: string should match pattern"),
        (make_part(row_limit=0), "row_limit cannot be used: input should be greater than or equal to 1."),
        (make_part(row_limit=10**6), "row_limit cannot be used: input should be less than or equal to 5000."),
        (make_part(timeout_s=60), "timeout_s cannot be used: input should be less than or equal to 30."),
        (make_part(rows="mine"), "rows cannot be used: input should be 'bound' or 'all'."),
        (make_part(limit=5), "limit cannot be used: extra inputs are not permitted."),
        (make_part(tables={}), "tables cannot be used: dictionary should have at least 1 item"),
        (make_part(may_write_select=False), "queries: declare at least one query, or set may_write_select = true."),
        (with_query(name="Mi Consulta"), "queries.0.name cannot be used: string should match pattern"),
        (with_query(sentence={"fr": SENTENCE["es"]}), "queries.0.sentence.fr cannot be used: input should be 'es' or"),
        (with_query(sentence={"es": {"zero": "No hay."}}), "queries.0.sentence.es.one cannot be used: field required."),
        (with_query(examples=[]), "queries.0.examples.es cannot be used: list should have at least 1 item"),
        (make_part(queries=[make_query(), make_query()]), "queries: total is declared 2 times."),
        (with_query(name=WRITTEN), f"queries: {WRITTEN} is the name of the tool that writes a SELECT."),
        (with_query(sql="SELECT customer FROM data_orders WHERE"), "queries.total.sql: This is not a statement"),
        (with_query(sql="SELECT secret FROM data_orders"), "queries.total.sql: A table or column is not known. There"),
        (with_query(sql="SELECT customer FROM prices"), "queries.total.sql: A table or column is not known. There are"),
        (with_query(sql="DELETE FROM data_orders"), "queries.total.sql: Write exactly one SELECT"),
        (with_query(sql="SELECT pg_sleep(9) FROM data_orders"), "queries.total.sql: pg_sleep cannot be used."),
        (
            with_query(sql="SELECT customer FROM data_orders LIMIT :n"),
            "queries.total.sql: Placeholders cannot be used.",
        ),
        (
            with_query(sql="SELECT customer AS a, warehouse AS a FROM data_orders"),
            "queries.total.sql: two of its columns have one name.",
        ),
        (with_query(examples=["órdenes {kind}"]), "queries.total.examples: {kind} is no parameter."),
        (
            with_query(examples={"en": ["how many orders"]}),
            "queries.total.sentence: there is none in en, as examples are.",
        ),
        (
            with_query(sentence={"es": {**SENTENCE["es"], "many": "{cuantas}"}}),
            "queries.total.sentence.es: {cuantas} is no column, parameter or count, list, total.",
        ),
        (
            with_query(parameters={"kind": make_parameter()}),
            "queries.total.parameters.kind: the SQL does not use it.",
        ),
        (
            with_query(**BY_TYPE, parameters={"kind": {"type": "choice", "description": "x"}}),
            "queries.total.parameters.kind: a choice needs values or values_from.",
        ),
        (with_parameter(values_from="orders.kind"), "queries.total.parameters.kind: values_from names orders.kind,"),
        (with_parameter(pattern="x"), "queries.total.parameters.kind: a pattern is of texts only."),
        (with_parameter(min=1), "queries.total.parameters.kind: min and max are of numbers only."),
        (with_parameter(type="text"), "queries.total.parameters.kind: values are of choices only"),
        (
            with_parameter(type="text", values=[], pattern="("),
            "queries.total.parameters.kind: its pattern is no regular expression.",
        ),
        (with_parameter(type="color"), "queries.0.parameters.kind.type cannot be used: input should be 'text'"),
    ],
)
def test_a_fault_is_a_sentence_that_says_where_it_is(part: dict[str, Any], problem: str) -> None:
    found = problems_of(part)

    assert any(one.startswith(problem) for one in found), found
    assert all(one.endswith(".") for one in found)


def test_all_faults_are_told_at_once() -> None:
    part = make_part(
        queries=[
            make_query(name="a", sql="SELECT x FROM data_orders"),
            make_query(name="b", examples=["{x}"]),
            make_query(name="c", sql="DROP TABLE data_orders"),
        ]
    )

    assert [problem.partition(":")[0] for problem in sorted(problems_of(part))] == [
        "queries.a.sql",
        "queries.b.examples",
        "queries.c.sql",
    ]


def test_a_fault_never_quotes_a_value() -> None:
    assert "geheim" not in " ".join(problems_of(make_part(source="GEHEIM geheim", rows="geheim")))


def test_what_is_read_is_not_changed() -> None:
    part = example_part()
    before = deepcopy(part)

    read(part)

    assert part == before


def test_the_example_is_read() -> None:
    found = read(example_part())

    assert len(found.statements) == len(found.definition.queries) > 30
    assert sorted(found.value_statements) == [
        "data_orders.customer",
        "data_orders.order_class",
        "data_orders.warehouse",
    ]


def test_the_file_in_the_documentation_is_one() -> None:
    text = (ROOT / "docs" / "ASSISTANTS.md").read_text(encoding="utf-8")
    (part,) = [block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[queries]" in block]

    assert len(read(tomllib.loads(part)["queries"]).statements) == 2


def test_the_parser_is_loaded_only_when_a_definition_is_read() -> None:
    code = "import sys, maverik_backend.services.queries; sys.exit('sqlglot' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own interpreter


class TestTools:
    @pytest.fixture
    def asked(self, data_sources: Any) -> DataQuestions:
        return questions(data_sources)

    def test_there_is_one_for_each_query_and_one_to_write_a_select(self, asked: DataQuestions) -> None:
        tools = [tool.name for tool in asked.describe()]

        assert tools == [*(query.name for query in asked.definition.queries), WRITTEN]

    def test_there_is_none_to_write_a_select_where_it_is_not_allowed(self, data_sources: Any) -> None:
        part = {**example_part(), "may_write_select": False}

        assert WRITTEN not in [tool.name for tool in questions(data_sources, part).describe()]

    def test_its_schema_says_what_each_argument_is(self, asked: DataQuestions) -> None:
        (tool,) = [tool for tool in asked.describe() if tool.name == "orders_of_month"]

        assert tool.parameters == {
            "type": "object",
            "properties": {
                "month": {"type": "integer", "description": "el mes", "minimum": 1, "maximum": 12},
                "year": {"type": "integer", "description": "el año", "minimum": 2000, "maximum": 2100},
            },
            "required": ["month"],
            "additionalProperties": False,
        }

    def test_a_choice_names_its_values(self, asked: DataQuestions) -> None:
        (tool,) = [tool for tool in asked.describe() if tool.name == "orders_of_type"]

        assert tool.parameters["properties"]["type"]["enum"] == ["Inbound", "Outbound"]

    def test_a_select_is_told_the_tables_and_columns_and_no_others(self, asked: DataQuestions) -> None:
        description = asked.describe()[-1].description

        assert "order_number: Number of the order, such as ORD-1001." in description
        assert "internal_note" not in description
        assert "project_name" not in description
