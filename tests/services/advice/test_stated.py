"""Facts that are stated in the conversation count beside the profile."""

from __future__ import annotations

import pytest

from maverik_backend.clients.rag.base import Situation
from maverik_backend.services.advice import with_stated
from maverik_backend.services.advice.suited_risk import suited_risk

LONG = Situation(horizon_months=120, risk_tolerance="alta", age=30)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("la plata la necesito en 3 meses", 3),
        ("¿y si la uso dentro de 2 años?", 24),
        ("mi plazo es de 18 meses", 18),
        ("tengo que pagar en 20 días", 1),
        ("la plata es para dentro de un año y medio", 18),
    ],
)
def test_when_the_money_is_needed(text: str, months: int) -> None:
    assert with_stated(LONG, [text]).horizon_months == months


@pytest.mark.parametrize("text", ["¿qué es un bono?", "trabajo hace 3 años", "hola", "¿cómo me fue en 6 meses?"])
def test_other_spans_are_no_term(text: str) -> None:
    assert with_stated(LONG, [text]).horizon_months == 120


def test_the_latest_counts_and_caution_stays() -> None:
    stated = with_stated(LONG, ["no quiero perder plata", "la necesito en 6 meses", "perdón, la uso en 2 años"])

    assert (stated.wants_no_losses, stated.horizon_months) == (True, 24)
    assert suited_risk(stated).profile == "conservative"


@pytest.mark.parametrize(
    ("text", "currency"), [("son 5 mil dólares", "usd"), ("tengo 2 millones de pesos", "ars"), ("hola", None)]
)
def test_the_currency_is_the_one_that_was_named(text: str, currency: str | None) -> None:
    assert with_stated(LONG, [text]).currency == currency


def test_the_age_is_the_one_that_was_told() -> None:
    assert with_stated(LONG, ["tengo 67 años y quiero invertir"]).age == 67
