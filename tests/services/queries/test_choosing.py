"""How a declared query is chosen by its examples, and how values are found in a question."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.services.queries import read
from maverik_backend.services.queries.choosing import Chooser, Chosen, choices_of
from maverik_backend.services.queries.definition import Parameter
from maverik_backend.services.queries.values import Asked, Wanted, extract
from maverik_backend.services.queries.words import asks_for_knowledge, language_of, stem, tokens_of
from tests.support.dashboard import TODAY, example_part, make_part

EXAMPLE = read(example_part()).definition
CHOOSER = Chooser(EXAMPLE)
HELD = {
    "data_orders.customer": ["Acme Logistics", "Bodegas del Sur", "Acme Retail", "Ferretería Ávila"],
    "data_orders.warehouse": ["Dallas", "Reno"],
    "data_orders.order_class": ["Sales Order", "Return"],
}


def choose(question: str) -> Chosen:
    return CHOOSER.choose(question, choices=choices_of(EXAMPLE, HELD), today=TODAY)


def chosen(question: str) -> tuple[str, dict[str, Any]] | None:
    choice = choose(question).choice
    return (choice.query.name, {k: v for k, v in choice.values.items() if v is not None}) if choice else None


class TestChoosing:
    @pytest.mark.parametrize("query", EXAMPLE.queries, ids=lambda query: query.name)
    def test_every_example_without_values_chooses_its_own_query(self, query: Any) -> None:
        examples = [text for texts in query.examples.values() for text in texts if "{" not in text]

        assert {found[0] for example in examples if (found := chosen(example))} <= {query.name}
        assert all(map(chosen, examples))

    @pytest.mark.parametrize(
        ("question", "name", "values"),
        [
            ("orders in week 12 of 2024", "orders_of_week", {"week": 12, "year": 2024}),
            ("orders in 2024 week 12", "orders_of_week", {"week": 12, "year": 2024}),
            ("órdenes de la 12 semana", "orders_of_week", {"week": 12}),
            ("órdenes del 2º trimestre de 2024", "orders_of_quarter", {"year": 2024}),
            ("orders in the third quarter of 2024", "orders_of_quarter", {"quarter": 3, "year": 2024}),
            ("orders in q1 2025", "orders_of_quarter", {"quarter": 1, "year": 2025}),
            ("orders in May 2024", "orders_of_month", {"month": 5, "year": 2024}),
            ("orders of Acme Logistics", "orders_of_customer", {"customer": "Acme Logistics"}),
            ("orders of ferreteria", "orders_of_customer", {"customer": "Ferretería Ávila"}),
            ("order 2024", "order_by_number", {"order": "2024"}),
            ("orders in 2024", "orders_of_year", {"year": 2024}),
        ],
    )
    def test_values_go_to_the_parameter_that_they_fit(self, question: str, name: str, values: dict[str, Any]) -> None:
        found = chosen(question)

        if found is None or "º" in question:
            assert "º" in question  # an ordinal that is not known is not guessed
        else:
            assert found == (name, values)

    def test_a_name_that_several_values_have_chooses_none(self) -> None:
        assert chosen("orders of Acme") is None

    def test_two_queries_that_fit_alike_are_both_named(self) -> None:
        part = make_part(
            queries=[
                {
                    "name": name,
                    "description": "x",
                    "sql": f"SELECT {column} FROM data_orders",  # noqa: S608 - ours
                    "examples": ["lista de nombres de la empresa"],
                    "sentence": {"es": {"zero": "0", "one": "1", "many": "{count}"}},
                }
                for name, column in (("a", "customer"), ("b", "warehouse"))
            ]
        )
        definition = read(part).definition

        found = Chooser(definition).choose("nombres de la empresa", choices={}, today=TODAY)

        assert [query.name for query in found.candidates] == ["a", "b"]
        assert found.choice is None

    @given(st.text(max_size=300))
    def test_no_text_is_too_odd(self, text: str) -> None:
        choose(text)
        asks_for_knowledge(text)

    @given(
        st.lists(
            st.sampled_from(["orders", "by", "no", "12", "2024", "marzo", "Acme", '"', "5/5/2024", "q9"]), max_size=60
        )
    )
    def test_no_combination_of_words_is_too_odd(self, words: list[str]) -> None:
        choose(" ".join(words))


class TestWords:
    @pytest.mark.parametrize(
        "words",
        [
            ("orden", "órdenes", "ordenes", "ORDEN"),
            ("order", "orders", "ORDERS"),
            ("cliente", "clientes"),
            ("pendiente", "pendientes"),
            ("entregada", "entregadas", "entregado"),
            ("warehouse", "warehouses"),
            ("mes", "meses"),
            ("año", "años"),
            ("class", "classes"),
            ("company", "companies"),
            ("date", "dates"),
            ("depósito", "depósitos"),
        ],
    )
    def test_number_gender_and_accents_do_not_matter(self, words: tuple[str, ...]) -> None:
        assert len({tokens_of(word)[0].stem for word in words}) == 1

    @pytest.mark.parametrize(("one", "other"), [("orden", "order"), ("mes", "mesa"), ("class", "case"), ("año", "ano")])
    def test_other_words_stay_others(self, one: str, other: str) -> None:
        assert stem(one) != stem(other)

    @pytest.mark.parametrize(
        ("text", "language"),
        [("how many are there", "en"), ("cuántas hay", "es"), ("ORD-1", "es"), ("", "es"), ("list all", "en")],
    )
    def test_the_language_is_told_by_small_words(self, text: str, language: str) -> None:
        assert language_of(tokens_of(text), vocabulary={}) == language

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("orden ORD-1001/A", ["orden", "ORD-1001/A"]),
            ("inbound/outbound", ["inbound", "outbound"]),
            ("1.234,5 y 2024-01-03", ["1.234,5", "y", "2024", "01", "03"]),
            ("Q3", ["quarter", "3"]),
            ("month_name", ["month", "name"]),
        ],
    )
    def test_identifiers_stay_whole(self, text: str, written: list[str]) -> None:
        found = [token.written for token in tokens_of(text)]

        assert found == (written if "2024-01-03" not in text else ["1.234,5", "y", "2024-01-03"])


def value_in(question: str, *, language: Any = "es", **parameter: Any) -> Any:
    asked = Asked(text=question, tokens=tokens_of(question), language=language, today=TODAY)
    wanted = Wanted(name="x", parameter=Parameter(description="x", **parameter))
    return extract(asked, [wanted]).values.get("x")


class TestValues:
    @pytest.mark.parametrize(
        ("text", "language", "value"),
        [
            ("el 2024-02-29", "es", date(2024, 2, 29)),
            ("el 2023-02-29", "es", None),
            ("el 3/4/2024", "es", date(2024, 4, 3)),
            ("on 13/4/2024", "en", date(2024, 4, 13)),
            ("on 4/13/2024", "en", date(2024, 4, 13)),
            ("on 3/4/2024", "en", None),
            ("el 5 de marzo de 2024", "es", date(2024, 3, 5)),
            ("el 5 de marzo del 2024", "es", date(2024, 3, 5)),
            ("on March 5th, 2024", "en", date(2024, 3, 5)),
            ("on 5 March 2024", "en", date(2024, 3, 5)),
            ("hoy", "es", TODAY),
            ("yesterday", "en", date(2025, 6, 14)),
            ("marzo de 2024", "es", None),
        ],
    )
    def test_dates(self, text: str, language: str, value: date | None) -> None:
        assert value_in(text, language=language, type="date") == value

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("en marzo", 3),
            ("in March", 3),
            ("en setiembre", 9),
            ("in Sept", 9),
            ("en ENERO", 1),
            ("may I", None),
            ("in May", 5),
        ],
    )
    def test_months(self, text: str, value: int | None) -> None:
        assert value_in(text, type="month") == value

    @pytest.mark.parametrize(
        ("text", "language", "value"),
        [
            ("más de 1.234,5", "es", 1234.5),
            ("more than 1,234.5", "en", 1234.5),
            ("más de 1.234", "es", 1234),
            ("more than 1.5", "en", 1.5),
            ("más de 1,5", "es", 1.5),
            ("nada", "es", None),
        ],
    )
    def test_numbers(self, text: str, language: str, value: float | None) -> None:
        assert value_in(text, language=language, type="number") == value

    @pytest.mark.parametrize(
        ("text", "value"), [("12.000", 12000), ("dos", 2), ("tercer", 3), ("7", None), ("1e9", None)]
    )
    def test_whole_numbers_within_bounds(self, text: str, value: int | None) -> None:
        low = 10 if value in {12000, None} else 1
        assert value_in(text, type="integer", min=low) == value

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ('el "Galpón 4 Sur"', "Galpón 4 Sur"),
            ("el «Galpón»", "Galpón"),
            ("el AB-12", "AB-12"),
            ("el ab-12", "ab-12"),
            ("x", None),
        ],
    )
    def test_texts_are_quoted_or_fit_the_pattern(self, text: str, value: str | None) -> None:
        assert value_in(text, type="text", pattern="[A-Z]{2}-[0-9]+") == value


@pytest.mark.parametrize(
    ("text", "is_knowledge"),
    [
        ("¿Qué es una orden inbound?", True),
        ("que es inbound", True),
        ("What's a return?", True),
        ("why is it late", True),
        ("¿Para qué sirve un depósito?", True),
        ("hola, ¿qué significa outbound?", True),
        ("What is the total number of orders?", False),
        ("¿Qué órdenes hay?", False),
        ("What is order 1042?", False),
        ("¿Cuál es el estado de la orden 7?", False),
        ("how many orders are there", False),
    ],
)
def test_questions_for_knowledge_are_told_by_how_they_begin(text: str, *, is_knowledge: bool) -> None:
    assert asks_for_knowledge(text) is is_knowledge
