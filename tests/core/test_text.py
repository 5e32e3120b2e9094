"""Text as a search sees it."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core.text import MAX_MARKS, fold
from tests.support.worst_texts import WORST_TEXTS


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


def test_every_letter_of_a_text_without_marks_is_what_it_is_in_any_other_text() -> None:
    other = "\N{CJK UNIFIED IDEOGRAPH-4E00}"  # with it a text is read letter by letter

    for letter in map(chr, range(ord("\u0300"))):
        assert fold(f"é{letter}") == fold(f"é{letter}{other}").removesuffix(other), repr(letter)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("name", WORST_TEXTS)
def test_folding_takes_no_time_that_grows_with_the_square(name: str) -> None:
    text = WORST_TEXTS[name](100_000)  # 8 s of processor for combining marks where they are all sorted
    started = time.thread_time()

    fold(text)

    assert time.thread_time() - started < 2


@pytest.mark.parametrize("letter", ["n", "e", "\u0f73"])
def test_more_marks_on_a_letter_than_any_script_has_are_all_the_same(letter: str) -> None:
    folded = fold(letter + "\u0316" * MAX_MARKS)

    assert fold(letter + "\u0316" * 5_000 + " fin") == f"{folded} fin"


def test_words_in_any_script_stay_what_they_are() -> None:
    text = "가나다 क्षि ไทย עִבְרִית"

    assert fold(text) == "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
