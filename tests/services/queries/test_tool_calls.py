"""Arguments that a model chooses, and what it is told."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from maverik_backend.errors import QueryRefused
from maverik_backend.services.queries import WRITTEN, Column, ColumnType, DataQuestions, QueryResult
from maverik_backend.services.queries.results import MAX_MODEL_CHARS, columns_of, rows_of
from tests.support.dashboard import Dashboard, asker, deadline, make_part, questions


@pytest.fixture
def run(example_questions: DataQuestions) -> Any:
    def call(name: str, arguments: Any, **context: Any) -> QueryResult:
        return example_questions.run(name, arguments, **{"asker": asker(), "deadline": deadline(), **context})

    return call


@pytest.mark.parametrize(
    ("name", "arguments", "rows"),
    [
        ("orders_total", {}, ((360,),)),
        ("orders_of_type", {"type": "Inbound"}, ((216,),)),
        ("orders_of_type", {"type": "entrantes"}, ((216,),)),
        ("orders_of_customer", {"customer": "ferreteria avila"}, ((60,),)),
        ("orders_of_month", {"month": 3}, ((31,),)),
        ("orders_of_month", {"month": "marzo", "year": "2024"}, ((16,),)),
        ("orders_of_month", {"month": 3.0, "year": None}, ((31,),)),
        ("orders_on_date", {"date": "2024-01-03"}, ((1,),)),
        ("customers_by_initial", {"initial": "a"}, (("Acme Logistics",),)),
        ("order_by_number", {"order": "ORD-1007' OR '1'='1"}, ()),
    ],
)
def test_arguments_become_values(run: Any, name: str, arguments: dict[str, Any], rows: Any) -> None:
    assert run(name, arguments).rows == rows


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("nothing", {}, "There is no query 'nothing'"),
        ("orders_total", None, "The arguments must be a JSON object."),
        ("orders_total", {"x": 1}, "There is no parameter 'x'"),
        ("orders_of_type", {}, "type is missing: the type."),
        ("orders_of_type", {"type": "Sideways"}, "type must be one of: Inbound, Outbound."),
        ("orders_of_type", {"type": ["Inbound"] * 9}, "type must be one of"),
        (
            "orders_of_customer",
            {"customer": "Acme Logistics (otra)"},
            "customer must be one of: Acme Logistics, Bodegas",
        ),
        ("orders_of_month", {"month": 13}, "month must be a whole number, at least 1 and at most 12."),
        ("orders_of_month", {"month": 1.5}, "month must be a whole number"),
        ("orders_of_month", {"month": True}, "month must be a whole number"),
        ("orders_of_month", {"month": float("nan")}, "month must be a whole number"),
        ("orders_of_month", {"month": "brumario"}, "month must be a whole number"),
        ("orders_of_year", {"year": 10**30}, "year must be a whole number"),
        ("orders_on_date", {"date": "5 de mayo"}, "date must be a date, as YYYY-MM-DD."),
        ("orders_on_date", {"date": {}}, "date must be a date"),
        ("order_by_number", {"order": "x" * 201}, "order must be a text of at most 200 characters."),
        ("order_by_number", {"order": "a\0b"}, "order must be a text"),
        (WRITTEN, {}, "Give one argument, sql"),
        (WRITTEN, {"sql": 3}, "Give one argument, sql"),
        (WRITTEN, {"sql": "SELECT 1", "x": 1}, "Give one argument, sql"),
        (WRITTEN, {"sql": "DELETE FROM data_orders"}, "Write exactly one SELECT"),
    ],
)
def test_a_refusal_says_what_is_possible(run: Any, name: str, arguments: Any, reason: str) -> None:
    with pytest.raises(QueryRefused) as caught:
        run(name, arguments)

    assert str(caught.value).startswith(reason)


def test_a_select_is_refused_where_it_is_not_allowed(data_sources: Any) -> None:
    queries = [
        {
            "name": "total",
            "description": "Cantidad",
            "sql": "SELECT count(*) AS orders FROM data_orders",
            "examples": ["¿Cuántas órdenes hay?"],
            "sentence": {"es": {"zero": "Nada.", "one": "Una.", "many": "Hay {count}."}},
        }
    ]
    asked = questions(data_sources, make_part(may_write_select=False, queries=queries))

    with pytest.raises(QueryRefused, match="There is no query 'write_select'"):
        asked.run(WRITTEN, {"sql": "SELECT customer FROM data_orders"}, asker=asker(), deadline=deadline())


def test_the_sentence_is_in_the_language_that_is_asked_for(run: Any) -> None:
    assert run("orders_of_type", {"type": "Inbound"}, language="en").sentence == "There are 216 orders of type Inbound."


class TestRows:
    def test_have_the_types_of_the_database(self, dashboard: Dashboard) -> None:
        with dashboard.owner.connect() as db:
            result = db.exec_driver_sql(
                "SELECT 1::smallint AS a, 1.50::numeric AS b, 2.00::numeric AS c, 0.1::float8 AS d, true AS e,"
                " DATE '2024-02-29' AS f, TIMESTAMPTZ '2024-02-29 10:00+00' AS g, NULL::int AS h, 'x'::text AS i,"
                " '{\"k\": [1]}'::jsonb AS j, 'NaN'::numeric AS k, 'Infinity'::float8 AS l, 9007199254740993 AS m,"
                " ARRAY[1.0, 2.5] AS n, INTERVAL '1 day' AS o, 12345678901234567890123::numeric AS p"
            )
            columns = columns_of([(str(column[0]), int(str(column[1]))) for column in result.cursor.description])
            (row,) = rows_of([tuple(found) for found in result.all()])

        found = dict(zip([column.name for column in columns], row, strict=True))
        text = json.dumps(found, allow_nan=False)
        assert [column.type.value for column in columns] == [
            *("integer", "number", "number", "number", "boolean", "date", "datetime", "integer", "text", "json"),
            *("number", "number", "integer", "text", "text", "number"),
        ]
        assert text.startswith(
            '{"a": 1, "b": 1.5, "c": 2, "d": 0.1, "e": true, "f": "2024-02-29", "g": "2024-02-29T10:00:00+00:00", '
            '"h": null, "i": "x", "j": {"k": [1]}, "k": null, "l": null, "m": 9007199254740993, "n": [1, 2.5]'
        )
        assert isinstance(found["p"], float)

    @pytest.mark.parametrize(
        ("value", "number"), [(Decimal("1e400"), None), (Decimal("-0.0"), 0), (Decimal("1e15"), 10**15), (1e300, 1e300)]
    )
    def test_hold_numbers_that_json_has(self, value: Any, number: Any) -> None:
        ((found,),) = rows_of([(value,)])

        assert found == number

    def test_with_one_name_twice_have_two(self) -> None:
        assert [column.name for column in columns_of([("n", 23), ("n", 23), ("n_2", 23), ("n", 25)])] == [
            *("n", "n_2", "n_2_2", "n_3"),
        ]

    def test_are_cut_before_they_fill_the_memory(self) -> None:
        assert len(rows_of([("x" * 9000,)] * 1000)) < 300

    def test_hold_no_endless_text(self) -> None:
        ((found,),) = rows_of([("x" * 10**6,)])

        assert found == "x" * 10_000

    def test_are_cut_for_a_model_and_it_is_told(self) -> None:
        result = QueryResult(
            query="q",
            columns=(Column("texto", ColumnType.TEXT), Column("día", ColumnType.DATE)),
            rows=rows_of([("x" * 900, date(2024, 1, 1))] * 400),
            is_truncated=False,
            language="es",
            sentence="Hay 400.",
        )

        told: Any = result.for_model()

        assert len(json.dumps(told, ensure_ascii=False)) <= MAX_MODEL_CHARS
        assert 5 < len(told["rows"]) < 50
        assert (told["rows_found"], told["is_truncated"], told["answer"]) == (400, True, "Hay 400.")

    def test_that_fit_are_told_whole(self, run: Any) -> None:
        told = run("orders_by_type", {}).for_model()

        assert told["rows"] == [["Inbound", 216], ["Outbound", 144]]
        assert told["is_truncated"] is False
