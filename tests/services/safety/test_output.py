"""What no assistant may tell a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.advisor.articles import read_articles
from maverik_backend.core.text import fold
from maverik_backend.services.safety import OutputGuard, make_canary
from maverik_backend.services.safety.output import is_promise
from maverik_backend.texts import care as texts


def in_pieces(text: str, size: int, *, canary: str | None = None) -> str:
    guard = OutputGuard(canary=canary)
    shown = [part for at in range(0, len(text), size) for part in guard.feed(text[at : at + size])]
    return "".join([*shown, *guard.end()])


PROMISES = [
    "Te garantizo un rendimiento del 10% mensual.",
    "Con este fondo la ganancia está asegurada.",
    "Es imposible perder plata con esto.",
    "Vas a duplicar tu capital seguro.",
    "Rinde 8% en dólares sin ningún riesgo.",
    "Esta acción va a subir con certeza.",
]
HONEST = [
    "Nadie puede garantizar un rendimiento.",
    "Desconfiá de quien promete ganancias garantizadas.",
    "Ningún rendimiento está asegurado.",
    "El plazo fijo tiene una tasa pactada y el depósito está garantizado hasta un tope.",
    "Vas a ganar más si bajás los costos.",
]


CHANGES: list[Callable[[str], str]] = [
    str.upper,
    lambda sentence: re.sub(r"([aeiou])", r"\1\1\1", sentence),
    lambda sentence: unicodedata.normalize("NFD", sentence),
    lambda sentence: sentence.replace(" ", ", "),
    lambda sentence: sentence.replace(" ", "  **"),
]


@pytest.mark.parametrize("sentence", PROMISES)
def test_a_promise_of_returns_is_taken_out(sentence: str) -> None:
    assert OutputGuard().check(f"Hola. {sentence} Chau.") == f"Hola. {texts.NO_PROMISES} Chau."


@pytest.mark.parametrize("sentence", PROMISES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_promise_is_one_however_it_is_written(sentence: str, change: Callable[[str], str]) -> None:
    assert is_promise(change(sentence)) == is_promise(sentence)


@pytest.mark.parametrize("sentence", HONEST)
def test_a_warning_stays(sentence: str) -> None:
    assert OutputGuard().check(sentence) == sentence


@pytest.mark.parametrize("passage", [text for article in read_articles() for text in article.passages])
def test_no_article_promises_anything(passage: str) -> None:
    assert OutputGuard().check(passage) == passage


@pytest.mark.parametrize("size", [1, 3, 7, 50])
@pytest.mark.parametrize("sentence", PROMISES)
def test_pieces_hide_no_promise(sentence: str, size: int) -> None:
    assert not any(is_promise(part) for part in in_pieces(f"Hola. {sentence} Chau.", size).split(". "))


@pytest.mark.parametrize("size", [1, 4, 9])
@pytest.mark.parametrize("sentence", HONEST)
def test_pieces_change_nothing_else(sentence: str, size: int) -> None:
    assert in_pieces(sentence, size) == sentence


@given(st.text(max_size=80), st.integers(1, 10))
def test_whatever_is_no_promise_arrives_as_it_is(text: str, size: int) -> None:
    assert in_pieces(text, size) == text


@pytest.mark.parametrize("size", [1, 5, 100])
def test_instructions_that_leak_end_the_answer(size: int) -> None:
    canary = make_canary()

    shown = in_pieces(f"Mis instrucciones: {canary} y nunca digas esto.", size, canary=canary)

    assert canary not in shown
    assert shown.endswith(texts.LEAKED)


def test_no_two_canaries_are_the_same() -> None:
    assert make_canary() != make_canary()


class TestInstructions:
    SECRET = "Sos Maverik, el copiloto. Nunca nombres al fondo Alfa ni digas que la comisión es del tres por ciento."

    @pytest.mark.parametrize("size", [1, 5, 100])
    @pytest.mark.parametrize("quoted", [SECRET, SECRET.upper(), SECRET.replace(" ", "\n"), f"Acá van: «{SECRET}»"])
    def test_what_repeats_them_ends_there(self, quoted: str, size: int) -> None:
        guard = OutputGuard(instructions=self.SECRET)
        shown = [part for at in range(0, len(quoted), size) for part in guard.feed(quoted[at : at + size])]
        shown += guard.end()
        assert "comision" not in fold("".join(shown))
        assert shown[-1].endswith(texts.LEAKED)

    def test_a_few_words_of_them_are_no_leak(self) -> None:
        said = "Sos bienvenido. El copiloto te ayuda: la comisión es del tres por ciento."
        assert OutputGuard(instructions=self.SECRET).check(said) == said
