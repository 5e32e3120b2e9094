"""Text as a search sees it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core.text import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("¿Qué es el INTERÉS de un año?", "¿que es el interes de un año?"),
        ("áéíóúü ÁÉÍÓÚÜ", "aeiouu aeiouu"),
        ("àèìòù âêîôû ç ã", "aeiou aeiou c a"),
        ("ñandú ÑANDÚ", "ñandu ñandu"),
        ("", ""),
        ("50% de $ 1.000", "50% de $ 1.000"),
    ],
)
def test_case_and_accents_go_and_the_enye_stays(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("text", ["interés", "año", "INTERÉS", "Ñandú"])
def test_it_does_not_matter_how_a_keyboard_writes_accents(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_words_with_and_without_accent_meet() -> None:
    assert fold("interés inflación") == fold("Interes Inflacion")


def test_year_and_its_unfortunate_neighbour_stay_apart() -> None:
    assert fold("año") != fold("ano")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
