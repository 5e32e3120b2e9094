"""Words that a stemmer gets wrong for money."""

from __future__ import annotations

import pytest

from maverik_backend.advisor.vocabulary import searchable
from maverik_backend.core.text import fold


def words_of(question: str) -> list[str]:
    return searchable(question).split()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("¿Dónde queda la Plaza de Mayo?", ["¿donde", "queda", "la", "de", "mayo?"]),
        ("¿Cuándo juega el Inter?", ["¿cuando", "juega", "el", "?"]),
        ("un plato rico", ["un", "rico"]),
        ("Vacaciones en Mar del Plata", ["vacaciones", "en"]),
        ("una película de acción", ["una"]),
        ("¿Quién ganó el Balón de Oro?", ["¿quien", "gano", "el", "?"]),
        ("tarjeta roja", []),
        ("invertir una cadena en Python", ["en", "python"]),
        ("rendir un examen", []),
        ("¿Cómo me despido?", ["¿como", "?"]),
        ("un capital inicial de 12.000, un horizonte de 4 años", [","]),
        ("y una tolerancia al riesgo media", ["y"]),
    ],
)
def test_what_only_sounds_like_money_is_not_searched(question: str, words: list[str]) -> None:
    assert words_of(question) == words


@pytest.mark.parametrize(
    "question",
    [
        "¿Qué es un plazo fijo?",
        "¿Cómo compro acciones?",
        "¿Conviene invertir en oro?",
        "tarjeta de crédito",
        "fondo de emergencia",
        "¿Qué es el interés compuesto?",
        "invertir una parte del sueldo",
        "transferencia a otro banco",
        "aplazar un pago",
        "internet",
    ],
)
def test_what_is_about_money_is_searched_as_it_is(question: str) -> None:
    assert "  " not in searchable(question)
    assert len(words_of(question)) == len(question.split())


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("¿Qué hago con 100 lucas?", "ahorro e inversion"),
        ("Tengo unos mangos", "ahorro e inversion"),
        ("junté pesos", "ahorro e inversion"),
        ("la TIR de un bono", "tasa de rendimiento"),
        ("¿Y si me echan del laburo?", "despido desempleo"),
        ("perdí mi trabajo", "despido desempleo"),
        ("cobro la mínima", "jubilados pami"),
        ("no llego a fin de mes", "presupuesto gastos"),
        ("un fondo común", "fci"),
        ("la cuenta remunerada", "saldos remunerados"),
        ("mercado pago", "billetera"),
        ("debo 300.000 a tres amigos", "deudas"),
        ("me llaman los cobradores", "deudas"),
        ("me ofrecen un negocio que rinde 10% por mes", "estafa"),
    ],
)
def test_colloquial_words_are_read_as_their_topic(question: str, topic: str) -> None:
    assert topic in searchable(question)


@pytest.mark.parametrize(
    "question", ["tirar", "luca", "mangostán", "pesosos", "me echan la culpa", "la temperatura mínima"]
)
def test_only_whole_words_count(question: str) -> None:
    assert searchable(question) == fold(question)


def test_accents_and_case_do_not_matter() -> None:
    assert searchable("PELÍCULA DE ACCIÓN") == searchable("pelicula de accion")


def test_an_empty_question_stays_empty() -> None:
    assert searchable("") == ""
