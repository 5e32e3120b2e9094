"""Amounts and terms as Argentines write them; what can be read in two ways is not read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.services.advice.amounts import (
    MAX_AMOUNT,
    MAX_MONTHS,
    Money,
    Role,
    amounts_in,
    is_only_an_amount,
    is_unclear,
    months_in,
    plain,
)
from maverik_backend.services.advice.calculator import parse_number
from maverik_backend.texts import format as fmt


def amount_of(role: Role, text: str) -> Money | None:
    return amounts_in(plain(text)).get(role)


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
        ("text", "amount", "currency"),
        [
            ("Puedo ahorrar 350 dólares por mes.", "350", "usd"),
            ("puedo ahorrar 350 dolares al mes", "350", "usd"),
            ("ahorro 100000 mensuales", "100000", None),
            ("150 mil pesos por mes", "150000", "ars"),
            ("$ 150.000 por mes", "150000", "ars"),
            ("$150.000,50 al mes", "150000.50", "ars"),
            ("unos 200k/mes", "200000", None),
            ("200 lucas x mes", "200000", None),
            ("300 mangos por mes", "300", "ars"),
            ("1,5 millones por mes", "1500000", None),
            ("1.5 millones de pesos por mes", "1500000", "ars"),
            ("2 palos verdes mensuales", "2000000", "usd"),
            ("1 MILLON CADA MES", "1000000", None),
            ("u$s 300 por mes", "300", "usd"),
            ("u$s300 por mes", "300", "usd"),
            ("300 US$ por mes", "300", "usd"),
            ("USD 300 todos los meses", "300", "usd"),
            ("cada mes puedo guardar 80 mil", "80000", None),
            ("todos los meses separo unos $ 50.000", "50000", "ars"),
            ("por mes me sobran US$ 200", "200", "usd"),
            ("cobro 900.000 y guardo\n100.000\npor  mes", "100000", None),
            ("debería ahorrar 100 mil por mes durante 3 años", "100000", None),
        ],
    )
    def test_it_is_found_with_its_currency(self, text: str, amount: str, currency: str | None) -> None:
        assert amount_of(Role.MONTHLY, text) == Money(Decimal(amount), currency)

    @pytest.mark.parametrize(
        "text",
        [
            "gano 800 mil por mes",
            "pago 300.000 por mes de alquiler",
            "el alquiler me sale 300 mil por mes",
            "mi sueldo es de 900 mil por mes",
            "una cuota de 50 mil por mes",
            "debo 50 mil por mes",
        ],
    )
    def test_what_is_earned_or_spent_is_none(self, text: str) -> None:
        assert amounts_in(plain(text)) == {}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "¿Cuánto por mes?",
            "una inflación de 4% mensual",
            "el 20 por ciento por mes",
            "3 veces por mes",
            "0 por mes",
            "¿Cuánto tengo que ahorrar por mes para llegar en 36 meses?",
            "¿Cuánto necesito por mes en 24 meses?",
            "¿Cuánto al mes durante 10 años?",
            "por mes sube 4%",
            "cada mes pago 12 cuotas",
            "todos los meses hace 3 años",
            "1.234567 por mes",
            "99.999.999.999.999 por mes",
            "por mesa 100",
            "100 por mesa",
        ],
    )
    def test_nothing_else_is_one(self, text: str) -> None:
        assert amount_of(Role.MONTHLY, text) is None


class TestOtherRoles:
    @pytest.mark.parametrize(
        ("text", "amount", "currency"),
        [
            ("quiero juntar 20000 usd en 3 años", "20000", "usd"),
            ("¿cuánto necesito por mes para tener 3.000 dólares?", "3000", "usd"),
            ("llegar a $ 5.000.000", "5000000", "ars"),
            ("mi meta es de 2 millones", "2000000", None),
        ],
    )
    def test_a_target_is_what_somebody_wants_to_have(self, text: str, amount: str, currency: str | None) -> None:
        assert amount_of(Role.TARGET, text) == Money(Decimal(amount), currency)

    @pytest.mark.parametrize(
        ("text", "amount"),
        [("Tengo 5 millones y quiero un auto", "5000000"), ("tengo 12.000", "12000"), ("Tengo 500 dólares", "500")],
    )
    def test_a_capital_is_what_somebody_has(self, text: str, amount: str) -> None:
        money = amount_of(Role.CAPITAL, text)

        assert money is not None
        assert money.value == Decimal(amount)

    @pytest.mark.parametrize(
        "text",
        [
            "tengo 2 hijos y 3 tarjetas",
            "tengo 30 años",
            "tengo 1500 acciones",
            "tengo deudas por 500 mil",
            "tengo que pagar 500 mil",
            "tengo un sueldo de 900 mil",
            "quiero un crédito de 5 millones",
            "me cuesta 20.000 dólares",
        ],
    )
    def test_other_numbers_have_no_role(self, text: str) -> None:
        assert amounts_in(plain(text)) == {}

    def test_a_saving_without_its_rhythm_is_told_apart(self) -> None:
        assert amounts_in(plain("¿Y si ahorro 200?")) == {Role.SAVING_WITHOUT_RHYTHM: Money(Decimal(200))}


class TestTerm:
    @pytest.mark.parametrize(
        ("text", "months"),
        [
            ("en 18 meses", 18),
            ("durante 10 años", 120),
            ("en 2 años", 24),
            ("en dos años", 24),
            ("dentro de un año y medio", 18),
            ("en medio año", 6),
            ("a 5 años", 60),
            ("por los próximos 3 años", 36),
            ("un horizonte de 4 años", 48),
        ],
    )
    def test_it_is_read_in_months(self, text: str, months: int) -> None:
        assert months_in(plain(text)) == months

    @pytest.mark.parametrize(
        "text", ["tengo 30 años", "hace 3 años", "a los 65 años", "a 30 días", "en 1000 años", "en 0 meses", ""]
    )
    def test_ages_pasts_and_days_are_none(self, text: str) -> None:
        assert months_in(plain(text)) is None


class TestUnclear:
    @pytest.mark.parametrize(
        "text",
        [
            "1,500.50 por mes",
            "1,500 dólares",
            "1.500.50",
            "1.2345",
            "entre 100 y 200 mil por mes",
            "100-200 dólares",
            "en 5 o 10 años",
            "50 usd por semana",
            "1000 pesos por año",
            "para 2030",
            "100 euros",
        ],
    )
    def test_it_could_mean_two_things(self, text: str) -> None:
        assert is_unclear(plain(text))

    @pytest.mark.parametrize(
        "text",
        [
            "1.500,50 por mes",
            "20 mil dólares",
            "$ 1.500",
            "5 millones en 2 años",
            "1500 usd",
            "en 2000 pesos",
            "1,5 palos",
        ],
    )
    def test_it_can_only_mean_one(self, text: str) -> None:
        assert not is_unclear(plain(text))


@pytest.mark.parametrize(
    ("text", "alone"), [("100 mil", True), ("$ 500.", True), ("100 mil por mes", False), ("hola", False)]
)
def test_a_figure_alone_says_nothing_of_its_role(text: str, *, alone: bool) -> None:
    assert is_only_an_amount(plain(text)) is alone


@given(st.text(alphabet="0123456789.,$ milkporesamñtngu%", max_size=80))
def test_whatever_is_said_amounts_are_positive_and_terms_finite(text: str) -> None:
    said = plain(text)
    months = months_in(said)

    assert all(0 < money.value <= MAX_AMOUNT for money in amounts_in(said).values())
    assert months is None or 0 < months <= MAX_MONTHS
