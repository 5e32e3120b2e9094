"""Who is in danger or in trouble, told by how people write; half of the phrases was set aside while tuning."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from maverik_backend.schemas.base import MAX_TEXT_CHARS
from maverik_backend.services.safety import Care, care_in
from maverik_backend.services.safety.injection import is_injection
from tests.support.paths import FIXTURE_DATA
from tests.support.worst_texts import WORST_TEXTS

NONE = "-"


class Phrase(NamedTuple):
    kind: str
    text: str
    was_tuned_on: bool

    @property
    def expected(self) -> str | None:
        return None if self.kind == NONE else self.kind.replace("distress-other", Care.DISTRESS_OF_ANOTHER)


def phrases() -> Iterator[Phrase]:
    seen: Counter[str] = Counter()
    for line in (FIXTURE_DATA / "care_phrases.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, _, text = (part.strip() for part in line.partition("|"))
            seen[kind] += 1
            yield Phrase(kind, text, was_tuned_on=seen[kind] % 2 == 1)


PHRASES = list(phrases())
QUESTIONS = json.loads((FIXTURE_DATA / "knowledge_questions.json").read_text(encoding="utf-8"))


def missed(told: list[Phrase]) -> list[str]:
    """Phrases whose need for care is judged wrongly, whatever its kind."""
    return [phrase.text for phrase in told if (care_in(phrase.text) is None) != (phrase.expected is None)]


def test_there_are_enough_of_every_kind() -> None:
    kinds = Counter(phrase.expected for phrase in PHRASES)

    assert len(PHRASES) >= 300
    assert kinds.keys() == {None, *Care}
    assert min(kinds.values()) >= 8


@pytest.mark.parametrize(
    "phrase", [phrase for phrase in PHRASES if phrase.was_tuned_on], ids=lambda phrase: phrase.text
)
def test_each_phrase_is_of_its_kind(phrase: Phrase) -> None:
    assert care_in(phrase.text) == phrase.expected


def test_what_was_set_aside_is_recognised_too() -> None:
    told = [phrase for phrase in PHRASES if not phrase.was_tuned_on and phrase.expected]

    assert len(missed(told)) <= 0.03 * len(told), missed(told)


def test_and_figures_of_speech_that_were_set_aside_are_none() -> None:
    told = [phrase for phrase in PHRASES if not phrase.was_tuned_on and not phrase.expected]

    assert len(missed(told)) <= 0.03 * len(told), missed(told)


@pytest.mark.parametrize("question", [item["question"] for item in QUESTIONS["finance"]])
def test_ordinary_questions_need_none(question: str) -> None:
    assert care_in(question) in {None, Care.FRAUD, Care.STRAIN}
    assert not is_injection(question)


@pytest.mark.parametrize("question", QUESTIONS["off_topic"])
def test_nor_do_those_about_other_things(question: str) -> None:
    assert care_in(question) is None


@pytest.mark.parametrize("name", WORST_TEXTS)
def test_the_longest_message_made_to_cost_is_judged_at_once(name: str) -> None:
    started = time.thread_time()

    care_in(WORST_TEXTS[name](MAX_TEXT_CHARS))

    assert time.thread_time() - started < 2


@pytest.mark.parametrize(
    "piece",
    [
        "debo a ",
        "mi marido me saca ",
        "plata ",
        "me amenaza ",
        "tengo 12 ",
        "no quiero ",
        "transferi a ",
        "mi mama ",
        "jugue a ",
    ],
)
def test_so_is_one_that_repeats_a_beginning(piece: str) -> None:
    started = time.thread_time()

    care_in(piece * (MAX_TEXT_CHARS // len(piece)))

    assert time.thread_time() - started < 2
