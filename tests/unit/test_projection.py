"""Amounts as Argentines write them, and where capital and savings lead."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.clients.rag.projection import (
    DEFAULT_RISK_TOLERANCE,
    REAL_ANNUAL_RETURN,
    annual_return_for,
    future_value,
    monthly_saving_in,
    parse_number,
)
from maverik_backend.texts import format as fmt


class TestParseNumber:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("350", "350"),
            ("1.234", "1234"),
            ("1.234.567", "1234567"),
            ("1.234.567,89", "1234567.89"),
            ("1234567,8", "1234567.8"),
            ("1234567.89", "1234567.89"),
            ("1.5", "1.5"),
            ("1,5", "1.5"),
            ("1.50", "1.50"),
            ("0", "0"),
        ],
    )
    def test_a_point_before_three_digits_separates_thousands(self, text: str, value: str) -> None:
        assert parse_number(text) == Decimal(value)

    @given(st.decimals(min_value=0, max_value=10**12, places=2))
    def test_it_reads_what_is_written(self, value: Decimal) -> None:
        assert parse_number(fmt.number(value, decimals=2)) == value


class TestMonthlySaving:
    @pytest.mark.parametrize(
        ("text", "amount"),
        [
            ("Puedo ahorrar 350 dólares por mes.", "350"),
            ("puedo ahorrar 350 dolares al mes", "350"),
            ("ahorro 100000 mensuales", "100000"),
            ("150 mil pesos por mes", "150000"),
            ("$ 150.000 por mes", "150000"),
            ("$150.000,50 al mes", "150000.50"),
            ("unos 200k/mes", "200000"),
            ("200 lucas x mes", "200000"),
            ("una luca no: 1 luca por mes", "1000"),
            ("1,5 millones por mes", "1500000"),
            ("1.5 millones de pesos por mes", "1500000"),
            ("2 palos mensuales", "2000000"),
            ("1 millón cada mes", "1000000"),
            ("1 MILLON CADA MES", "1000000"),
            ("u$s 300 por mes", "300"),
            ("300 US$ por mes", "300"),
            ("USD 300 todos los meses", "300"),
            ("300 usd mensualmente", "300"),
            ("entre 100 y 200 mil por mes", "200000"),
            ("cada mes puedo guardar 80 mil", "80000"),
            ("todos los meses separo unos $ 50.000", "50000"),
            ("por mes me sobran US$ 200", "200"),
            ("cobro 900.000 y guardo\n100.000\npor  mes", "100000"),
            ("100 mil por mes durante 3 años", "100000"),
        ],
    )
    def test_an_amount_a_month_is_found(self, text: str, amount: str) -> None:
        assert monthly_saving_in(text) == Decimal(amount)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Quiero ahorrar",
            "Tengo 12.000 dólares",
            "¿Cuánto por mes?",
            "una inflación de 4% mensual",
            "el 20 por ciento por mes",
            "dos veces por mes",
            "3 veces por mes",
            "0 por mes",
            "¿Cuánto tengo que ahorrar por mes para llegar en 36 meses?",
            "¿Cuánto necesito por mes en 24 meses?",
            "¿Cuánto guardo por mes para 2030?",
            "¿Cuánto al mes durante 10 años?",
            "por mes sube 4%",
            "por mes sube 4,5 por ciento",
            "cada mes pago 12 cuotas",
            "cada mes y 1,5 años después",
            "todos los meses hace 3 años",
            "1.234567 por mes",
            "99.999.999.999.999 por mes",
            "por mesa 100",
            "100 por mesa",
        ],
    )
    def test_nothing_else_is_one(self, text: str) -> None:
        assert monthly_saving_in(text) is None

    @pytest.mark.parametrize(
        "piece", ["1", "1.111", ".111", "1 ", " ", "por mes ", "por mes a ", "9,9", "cada  mes 1"], ids=repr
    )
    def test_a_long_text_made_to_confuse_is_read_at_once(self, piece: str) -> None:
        """Each of these took seconds, or would, if every digit could start a number."""
        text = "por mes " + piece * (8_000 // len(piece))

        assert monthly_saving_in(text) in {None, Decimal(1)}

    @given(st.text(alphabet="0123456789.,$ milkporesam%", max_size=60))
    def test_whatever_is_said_an_amount_is_positive_and_finite(self, text: str) -> None:
        amount = monthly_saving_in(text)

        assert amount is None or 0 < amount <= 10**13


class TestFutureValue:
    def test_an_ordinary_annuity_by_hand(self) -> None:
        """Three months at 1 % a month: 100 * 1.01^3 + 10 * (1.01^2 + 1.01 + 1)."""
        a_year = 1.01**12 - 1

        value = future_value(capital=100, monthly=10, months=3, annual_return=a_year)

        assert value == pytest.approx(103.0301 + 10 * 3.0301)

    def test_capital_alone_grows_by_the_yearly_rate(self) -> None:
        assert future_value(capital=1000, monthly=0, months=24, annual_return=0.05) == pytest.approx(1102.5)

    def test_savings_alone_against_a_simulation(self) -> None:
        balance = 0.0
        for _ in range(48):
            balance = balance * 1.025 ** (1 / 12) + 350

        assert future_value(capital=0, monthly=350, months=48, annual_return=0.025) == pytest.approx(balance)

    def test_a_payment_at_the_end_of_the_only_month_earns_nothing(self) -> None:
        assert future_value(capital=0, monthly=100, months=1, annual_return=0.5) == pytest.approx(100)

    def test_without_a_return_it_is_what_was_paid_in(self) -> None:
        assert future_value(capital=1000, monthly=100, months=10, annual_return=0) == 2000

    def test_a_return_near_zero_is_near_that(self) -> None:
        assert future_value(capital=1000, monthly=100, months=10, annual_return=1e-9) == pytest.approx(2000)

    def test_after_no_time_it_is_the_capital(self) -> None:
        assert future_value(capital=1000, monthly=100, months=0, annual_return=0.05) == 1000


class TestAnnualReturn:
    @pytest.mark.parametrize("tolerance", ["baja", "media", "alta"])
    def test_each_tolerance_has_its_own(self, tolerance: str) -> None:
        assert annual_return_for(tolerance) == REAL_ANNUAL_RETURN[tolerance]

    @pytest.mark.parametrize("tolerance", [None, "", "muy alta"])
    def test_an_unknown_one_counts_as_the_middle(self, tolerance: str | None) -> None:
        assert annual_return_for(tolerance) == REAL_ANNUAL_RETURN[DEFAULT_RISK_TOLERANCE]

    def test_more_risk_promises_more(self) -> None:
        assert annual_return_for("baja") < annual_return_for("media") < annual_return_for("alta")
