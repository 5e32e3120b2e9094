"""Wishes that do not suit, told by how people write; half of the phrases was set aside while tuning."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from maverik_backend.clients.rag.base import Finding, FindingKind, Question, Situation
from maverik_backend.schemas.base import MAX_TEXT_CHARS
from maverik_backend.services.advice.findings import checked, findings_of
from maverik_backend.services.advice.suitability import Unsuitable, unsuitable_in
from maverik_backend.texts import unsuitable as texts
from tests.support.paths import FIXTURE_DATA
from tests.support.worst_texts import WORST_TEXTS

UNKNOWN = Situation()


def phrases() -> list[tuple[str, str, bool]]:
    """Kind, text, whether it was tuned on."""
    seen: Counter[str] = Counter()
    found = []
    for line in (FIXTURE_DATA / "suitability_phrases.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, _, text = (part.strip() for part in line.partition("|"))
            seen[kind] += 1
            found.append((kind, text, seen[kind] % 2 == 1))
    return found


PHRASES = phrases()
QUESTIONS = json.loads((FIXTURE_DATA / "knowledge_questions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, text, is_tuned in PHRASES if is_tuned])
def test_each_wish_is_of_its_kind(kind: str, text: str) -> None:
    assert (unsuitable_in(text, UNKNOWN) or "-") == kind


def test_those_that_were_set_aside_are_told_apart_as_well() -> None:
    wrong = [
        text
        for kind, text, is_tuned in PHRASES
        if not is_tuned and (unsuitable_in(text, UNKNOWN) is None) != (kind == "-")
    ]

    assert len(wrong) <= 5, wrong


def test_every_kind_is_tried_and_has_its_answer() -> None:
    assert {kind for kind, _, _ in PHRASES} == {*Unsuitable, "-"}
    assert texts.ANSWERS.keys() == set(Unsuitable)


@pytest.mark.parametrize("answer", texts.ANSWERS.values(), ids=list(texts.ANSWERS))
def test_an_answer_says_no_first_then_why_then_what_instead(answer: str) -> None:
    assert answer.startswith(("No", "Todavía no"))
    assert answer.index("**Por qué:**") < answer.index("**Qué hacer en cambio:**")


def test_knowledge_questions_are_no_wishes() -> None:
    taken = [item["question"] for item in QUESTIONS["finance"] if unsuitable_in(item["question"], UNKNOWN)]

    assert len(taken) <= 0.06 * len(QUESTIONS["finance"]), taken


def test_what_is_known_of_the_person_counts() -> None:
    text = "¿me conviene comprar cripto?"

    assert unsuitable_in(text, Situation(horizon_months=6)) is Unsuitable.NEEDED_SOON
    assert unsuitable_in(text, Situation(age=16)) is Unsuitable.MINOR
    assert unsuitable_in(text, Situation(age=40, horizon_months=120)) is None


@pytest.mark.parametrize("name", WORST_TEXTS)
def test_the_longest_message_made_to_cost_is_judged_at_once(name: str) -> None:
    started = time.thread_time()

    unsuitable_in(WORST_TEXTS[name](MAX_TEXT_CHARS), UNKNOWN)

    assert time.thread_time() - started < 2


def ask(text: str) -> tuple[Finding, ...]:
    question = Question(user_profile="", chat_history=(), input=text, situation=UNKNOWN)
    return findings_of(question, is_opening=False)


class TestChecked:
    UNSUITED = ask("quiero meter todo en YPF")
    SUM = ask("¿Cuánto es el 15% de 80.000?")

    def test_an_answer_that_refuses_stays(self) -> None:
        answer = "No te conviene: estarías concentrando todo."

        assert checked(answer, self.UNSUITED) == answer

    def test_a_mere_definition_comes_after_our_own_no(self) -> None:
        assert checked("YPF es una petrolera.", self.UNSUITED) == f"{self.UNSUITED[0].text}\n\nYPF es una petrolera."

    def test_an_encouragement_is_left_out(self) -> None:
        assert checked("¡Excelente idea! Comprá ya.", self.UNSUITED) == self.UNSUITED[0].text

    def test_a_sum_with_the_right_result_stays(self) -> None:
        assert self.SUM[0].kind is FindingKind.SUM
        assert checked("Son $ 12.000.", self.SUM) == "Son $ 12.000."

    def test_a_sum_with_another_result_comes_after_ours(self) -> None:
        assert checked("Son 13.500.", self.SUM).startswith(self.SUM[0].text)

    def test_without_findings_nothing_changes(self) -> None:
        assert checked("Hola.", ()) == "Hola."
