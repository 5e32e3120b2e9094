"""The example project's questions, asked of its database: what real clients of such a chat ask, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from maverik_backend.core.data_sources import DataSources
from maverik_backend.services.queries import DataQuestions, Outcome, QueryAnswer
from tests.support.dashboard import OTHER_PROJECT, Dashboard, asker, deadline, make_part, questions


@pytest.fixture
def ask(example_questions: DataQuestions) -> Any:
    def answer(question: str, *, project: str | None = None) -> QueryAnswer:
        on_behalf = asker(project) if project else asker()
        return example_questions.answer(question, asker=on_behalf, deadline=deadline())

    return answer


def expected(dashboard: Dashboard, sql: str) -> list[tuple[Any, ...]]:
    """What the owner of the data finds for the project."""
    with dashboard.owner.connect() as db:
        return [
            tuple(row) for row in db.exec_driver_sql(sql.format(mine="project_name = 'dashboard_miempresa'")).fetchall()
        ]


BY = "SELECT {column}, count(*) FROM data_orders WHERE {{mine}} GROUP BY {column} ORDER BY {column}"
COUNT = "SELECT count(*) FROM data_orders WHERE {{mine}} AND {condition}"
MONTHS = (
    "SELECT year, month_name, count(*) FROM data_orders WHERE {{mine}} AND {condition} GROUP BY year, month, 2 "
    "ORDER BY year, month"
)


def by(column: str) -> str:
    return BY.format(column=column)


def count(condition: str) -> str:
    return COUNT.format(condition=condition)


def months(condition: str) -> str:
    return MONTHS.format(condition=condition)


# --- the questions of the client's script: counts by each thing, one order, customers by initial ----------------------

SCRIPT = [
    ("How many orders are there?", "SELECT count(*) FROM data_orders WHERE {mine}"),
    ("How many orders are there by warehouse?", by("warehouse")),
    ("orders per warehouse", by("warehouse")),
    ("Show me the number of orders for each warehouse", by("warehouse")),
    ("How many orders are there by class?", by("order_class")),
    ("orders per class", by("order_class")),
    ("How many orders are there by type?", by("order_type")),
    ("How many inbound and outbound orders are there?", by("order_type")),
    ("How many orders does each customer have?", by("customer")),
    ("orders by customer", by("customer")),
    ("How many orders by status?", by("status")),
    ("How many orders are there by week?", by("year, week")),
    ("orders per month", months("true")),
    ("How many orders were there by month in 2024?", months("year = 2024")),
    ("orders per quarter", by("year, quarter")),
    ("How many orders are there by year?", by("year")),
    ("How many inbound orders are there?", count("order_type = 'Inbound'")),
    ("outbound orders", count("order_type = 'Outbound'")),
    ("How many sales orders are there?", count("order_class = 'Sales Order'")),
    ("How many purchase orders are there?", count("order_class = 'Purchase Order'")),
    ("How many warehouse transfers are there?", count("order_class = 'Warehouse Transfer'")),
    ("sales orders by month", months("order_class = 'Sales Order'")),
    ("How many pending orders are there?", count("status = 'pending'")),
    ("How many shipments are in transit?", count("status = 'in_transit'")),
    ("orders from Dallas", count("warehouse = 'Dallas'")),
    ("How many orders are there in the warehouse Reno?", count("warehouse = 'Reno'")),
    ("How many orders does Acme have?", count("customer = 'Acme Logistics'")),
    ("orders of Comercial Andina", count("customer = 'Comercial Andina'")),
    ("How many orders were there in 2025?", count("year = 2025")),
    ("orders in 2024", count("year = 2024")),
    ("How many orders were there in March?", count("month = 3")),
    ("orders in March 2025", count("month = 3 AND year = 2025")),
    ("How many orders were there in week 12 of 2024?", count("week = 12 AND year = 2024")),
    ("orders in the second quarter of 2025", count("quarter = 2 AND year = 2025")),
    ("How many orders were there in Q4 2024?", count("quarter = 4 AND year = 2024")),
    ("How many orders were there on 2024-05-10?", count("date = '2024-05-10'")),
    ("How many orders were there on May 10, 2024?", count("date = '2024-05-10'")),
    ("Which customers are there?", "SELECT DISTINCT customer FROM data_orders WHERE {mine} ORDER BY 1"),
    (
        "Which customers start with the letter F?",
        "SELECT DISTINCT customer FROM data_orders WHERE {mine} AND customer LIKE 'F%' ORDER BY 1",
    ),
    ("How many customers do we have?", "SELECT count(DISTINCT customer) FROM data_orders WHERE {mine}"),
    ("list the warehouses", "SELECT DISTINCT warehouse, warehouse_city_state FROM data_orders WHERE {mine} ORDER BY 1"),
    ("inbound orders by warehouse", by("warehouse").replace("GROUP", "AND order_type = 'Inbound' GROUP")),
    (
        "How many pending orders does each customer have?",
        by("customer").replace("GROUP", "AND status = 'pending' GROUP"),
    ),
]

SPANISH = [
    ("¿Cuántas órdenes hay?", "SELECT count(*) FROM data_orders WHERE {mine}"),
    ("¿Cuántas órdenes hay por depósito?", by("warehouse")),
    ("órdenes por tipo", by("order_type")),
    ("cantidad de pedidos por clase", by("order_class")),
    ("¿Cuántas órdenes tiene cada cliente?", by("customer")),
    ("órdenes por semana", by("year, week")),
    ("¿Cuántas órdenes hubo por mes en 2025?", months("year = 2025")),
    ("órdenes por trimestre", by("year, quarter")),
    ("órdenes por año", by("year")),
    ("¿Cuántas órdenes entrantes hay?", count("order_type = 'Inbound'")),
    ("¿Cuántas órdenes de compra hay?", count("order_class = 'Purchase Order'")),
    ("¿Cuántas devoluciones hay?", count("order_class = 'Return'")),
    ("órdenes en camino", count("status = 'in_transit'")),
    ("¿Cuántos pedidos entregados hay?", count("status = 'delivered'")),
    ("órdenes de Ferretería Ávila", count("customer = 'Ferretería Ávila'")),
    ("¿Cuántas órdenes hay en el depósito de Miami?", count("warehouse = 'Miami'")),
    ("¿Cuántas órdenes hubo en marzo de 2024?", count("month = 3 AND year = 2024")),
    ("órdenes de septiembre", count("month = 9")),
    ("¿Cuántas órdenes hubo el 10 de mayo de 2024?", count("date = '2024-05-10'")),
    ("¿Cuántas órdenes hubo el 10/5/2024?", count("date = '2024-05-10'")),
    ("¿Cuántas órdenes hubo ayer?", count("date = '2025-06-14'")),
    ("órdenes de la semana 12 de 2024", count("week = 12 AND year = 2024")),
    ("órdenes del primer trimestre de 2025", count("quarter = 1 AND year = 2025")),
    ("¿Qué clientes empiezan con A?", "SELECT DISTINCT customer FROM data_orders WHERE {mine} AND customer LIKE 'A%'"),
]


@pytest.mark.parametrize(("question", "sql"), SCRIPT + SPANISH)
def test_a_question_gets_the_rows_that_answer_it(ask: Any, dashboard: Dashboard, question: str, sql: str) -> None:
    answer = ask(question)

    assert answer.outcome is Outcome.ANSWERED
    assert answer.result is not None
    assert list(answer.result.rows) == expected(dashboard, sql)


@pytest.mark.parametrize(
    "question",
    [
        "¿Cuántas órdenes pendientes hay?",
        "¿Cuántas ordenes pendientes hay?",
        "cuántas orden pendiente hay",
        "cuanta órden pendiente hay",
        "CUÁNTOS PEDIDOS PENDIENTES HAY",
        "¿cuántos embarques pendientes hay?",
        "pending order",
        "How many pending shipments are there?",
        "how many orders are pending",
    ],
)
def test_words_for_orders_are_read_in_any_number_and_accent(ask: Any, question: str) -> None:
    answer = ask(question)

    assert answer.result is not None
    assert (answer.result.query, answer.result.rows) == ("orders_of_status", ((40,),))


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("¿Cuántas órdenes inbound hay?", "Hay 216 órdenes de tipo Inbound."),
        ("How many inbound orders are there?", "There are 216 orders of type Inbound."),
        ("¿Cuántas órdenes hubo el 2024-01-03?", "Hay una orden del 03/01/2024."),
        ("¿Cuántas órdenes hubo el 4/1/2024?", "No hay órdenes del 04/01/2024."),
        ("¿Cuántas órdenes hubo en marzo de 2024?", "Hay 16 órdenes de marzo de 2024."),
        ("orders in March", "There are 31 orders in March."),
        ("órdenes por tipo", "Órdenes por tipo: Inbound: 216 y Outbound: 144."),
        (
            "¿Cuál es el estado de la orden ORD-1007?",
            (
                "La orden ORD-1007 es de Bodegas del Sur, depósito Savannah, tipo Inbound, clase Sales Order, con "
                "fecha 15/01/2024; su estado es delivered."
            ),
        ),
    ],
)
def test_the_answer_is_a_sentence_in_the_language_of_the_question(ask: Any, question: str, sentence: str) -> None:
    assert ask(question).text == sentence


class TestOneOrder:
    @pytest.mark.parametrize(
        "question",
        ["What is the status of order ORD-1042?", "order 1042", "show me order number ord-1042", "la orden SHP-2042"],
    )
    def test_is_found_by_its_number(self, ask: Any, question: str) -> None:
        (record,) = ask(question).result.records()

        assert record["order_number"] == "ORD-1042"

    def test_that_is_not_there_gives_an_empty_list_and_says_so(self, ask: Any) -> None:
        answer = ask("order ORD-9999")

        assert answer.result.records() == []
        assert answer.text == "I found no order ORD-9999."


class TestRowsForACharts:
    def test_members_are_in_the_order_of_the_querys_columns(self, ask: Any) -> None:
        (first, *_) = ask("inbound orders by month").result.records()

        assert list(first) == ["year", "month_name", "orders"]

    def test_decimals_are_numbers(self, ask: Any) -> None:
        result = ask("importe por cliente").result

        assert all(isinstance(row[-1], int | float) for row in result.rows)
        assert result.columns[-1].type == "number"

    def test_dates_are_iso_texts(self, ask: Any) -> None:
        result = ask("orders by date").result

        assert result.rows[0] == ("2024-01-03", 1)
        assert [column.type for column in result.columns] == ["date", "integer"]

    def test_the_end_of_a_long_list_is_told(self, ask: Any) -> None:
        assert "348 more" in ask("orders by date").text


class TestWhatIsNotAsked:
    @pytest.mark.parametrize(
        "question",
        [
            "¿Qué es una orden inbound?",
            "¿Qué significa outbound?",
            "¿Cuál es la diferencia entre inbound y outbound?",
            "¿Cómo funciona un depósito?",
            "What is an inbound order?",
            "What does order class mean?",
            "Explain the difference between a return and a sales order",
            "How do I create an order?",
        ],
    )
    def test_a_question_for_knowledge_is_no_question_to_data(self, ask: Any, question: str) -> None:
        answer = ask(question)

        assert (answer.outcome, answer.result) == (Outcome.KNOWLEDGE, None)

    @pytest.mark.parametrize(
        "question",
        [
            "órdenes no entregadas",
            "orders not delivered",
            "orders without a customer",
            "órdenes de los últimos 7 días",
            "orders this month",
            "pending orders by customer and warehouse",
            "orders by warehouse in Texas",
            "Which orders were delayed by rain?",
            "top 5 customers by orders",
            "orders of the customer Zeta",
            "Delete all orders",
            "¿Cuántos empleados hay?",
            "hola",
            "¿?",
            "",
            "x" * 5000,
            "órdenes " * 3000 + "azules",
        ],
    )
    def test_what_no_query_answers_gets_what_can_be_asked_and_no_number(self, ask: Any, question: str) -> None:
        answer = ask(question)

        assert (answer.outcome, answer.result) == (Outcome.NOT_UNDERSTOOD, None)
        assert len(answer.suggestions) > 2
        assert all(suggestion in answer.text for suggestion in answer.suggestions)

    def test_without_declared_queries_the_tables_say_what_there_is(self, data_sources: DataSources) -> None:
        answer = questions(data_sources, make_part()).answer("órdenes", asker=asker(), deadline=deadline())

        assert (answer.outcome, answer.suggestions) == (Outcome.NOT_UNDERSTOOD, ("Órdenes",))

    def test_it_is_said_in_the_language_of_the_question(self, ask: Any) -> None:
        assert ask("Which orders were late?").text.startswith("I cannot answer that from the data I have.")
        assert ask("¿Qué órdenes llegaron tarde?").text.startswith("No sé responder eso con los datos que tengo.")

    def test_a_value_that_is_missing_is_asked_for(self, ask: Any) -> None:
        answer = ask("orders with initial")  # close to nothing
        asked_back = ask("clientes cuyo nombre empieza con")

        assert answer.outcome is Outcome.NOT_UNDERSTOOD
        assert (asked_back.outcome, asked_back.result) == (Outcome.MISSING_VALUE, None)
        assert "la inicial" in asked_back.text


class TestWhoseRows:
    def test_another_project_gets_its_own(self, ask: Any) -> None:
        assert ask("¿Cuántas órdenes hay?", project=OTHER_PROJECT).result.rows == ((90,),)

    def test_its_values_are_its_own_too(self, ask: Any) -> None:
        names = [row[0] for row in ask("Which customers are there?", project=OTHER_PROJECT).result.rows]

        assert all(name.endswith("(otra)") for name in names)

    def test_an_unknown_project_has_none(self, ask: Any) -> None:
        assert ask("¿Cuántas órdenes hay?", project="no_existe").result.rows == ((0,),)

    def test_naming_the_other_in_a_question_shows_nothing_of_it(self, ask: Any) -> None:
        assert ask("order ORD-5001").result.rows == ()
