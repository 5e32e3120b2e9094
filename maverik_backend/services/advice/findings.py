"""What the product finds out about a message before any assistant is asked: an unsuitable wish, a sum.

Each goes into what the assistant is told, and its answer is held against it (:func:`checked`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from maverik_backend.clients.rag.base import Finding, FindingKind, Question
from maverik_backend.core.phrases import any_of, words_of
from maverik_backend.services.advice import goal_sums
from maverik_backend.services.advice.suitability import Unsuitable, unsuitable_in
from maverik_backend.services.advice.sums import sum_asked
from maverik_backend.texts import sums as sum_texts
from maverik_backend.texts import unsuitable as texts

# How much of an answer is read for a no.
_OPENING_CHARS = 400
_REFUSES = any_of(r"no|todavia no|nunca|evit\w+|desaconsej\w+|cuidado|ojo|desconfi\w+|alerta|estafa|antes de")
_ENCOURAGES = any_of(
    r"(?:excelente|buena|gran|muy buena|genial) (?:idea|oportunidad|decision|eleccion|opcion)|(?<!no )te conviene "
    r"hacerlo|"
    r"(?<!no )(?:hacelo|adelante|aprovecha)|podes hacerlo"
)
_MAX_INSISTING_WORDS = 10
# How many turns back a sum may have begun.
_MAX_SUM_TURNS = 4
_INSISTS = any_of(
    r"(?:y )?(?:por que(?: no)?|porque(?: no)?)(?= *$| \.)|y si|pero|igual|aunque|estas segur[oa]|segur[oa]|y una "
    r"parte|y la mitad|"
    r"entonces no|no importa|dale|me arriesgo|quiero igual|lo quiero"
)
_FIGURE = re.compile(r"\d[\d.]*(?:,\d+)?")


def findings_of(question: Question, *, is_opening: bool) -> tuple[Finding, ...]:
    """What is found in ``question``; ``is_opening`` is whether the advice on the session's goal starts here."""
    if (kind := unsuitable_in(question.input, question.situation)) is not None:
        return (_unsuitable(texts.ANSWERS[kind]),)
    if (kind := _insisted_on(question)) is not None:
        _, _, rest = texts.ANSWERS[kind].partition("\n\n")
        return (_unsuitable(f"{texts.STILL_NO}\n\n{rest}"),)
    if (
        asked := sum_asked(question.input, [person for person, _ in question.chat_history[-_MAX_SUM_TURNS:]])
    ) is not None:
        return (_sum(asked.text, is_missing=asked.is_missing, is_complete=True),)
    goal = goal_sums.sum_for(question, is_opening=is_opening)
    if goal is None:
        return ()
    if not goal.is_asked:
        return (Finding(kind=FindingKind.OFFER, text=goal.text, instruction="", months=goal.months),)
    return (_sum(goal.text, is_missing=False, is_complete=goal.stands_alone, months=goal.months),)


def _insisted_on(question: Question) -> Unsuitable | None:
    """The wish that this message only insists on, or asks why not, perhaps not for the first time."""
    if not _insists(question.input):
        return None
    earlier = (person for person, _ in reversed(question.chat_history))
    wish = next((person for person in earlier if not _insists(person)), "")
    return unsuitable_in(wish, question.situation)


def _insists(text: str) -> bool:
    said = words_of(text)
    return len(said.split()) <= _MAX_INSISTING_WORDS and bool(_INSISTS.match(said))


def _unsuitable(text: str) -> Finding:
    return Finding(
        kind=FindingKind.UNSUITABLE, text=text, instruction=texts.INSTRUCTION.format(answer=text), is_complete=True
    )


def checked(answer: str, findings: Sequence[Finding]) -> str:
    """An assistant's answer with our own text before it where it does not honour a finding.

    An answer that encourages what does not suit is left out.
    """
    for finding in findings:
        if finding.text in answer:  # the embedded advisor says it as it is
            continue
        if finding.kind is FindingKind.UNSUITABLE and not _refuses(answer):
            return finding.text if _ENCOURAGES.search(words_of(answer)) else f"{finding.text}\n\n{answer}"
        if finding.kind is FindingKind.SUM and not _holds_result(answer, finding.text):
            return f"{finding.text}\n\n{answer}"
    return answer


def _sum(text: str, *, is_missing: bool, is_complete: bool, months: int | None = None) -> Finding:
    template = sum_texts.INSTRUCTION_MISSING if is_missing else sum_texts.INSTRUCTION
    return Finding(
        kind=FindingKind.SUM,
        text=text,
        instruction=template.format_map({"sum": text}),
        is_complete=is_complete,
        months=months,
    )


def _refuses(answer: str) -> bool:
    said = words_of(answer[:_OPENING_CHARS])
    return bool(_REFUSES.search(said)) and not _ENCOURAGES.search(words_of(answer))


def _holds_result(answer: str, text: str) -> bool:
    """Whether the result of a sum, the last figure of its first bold words, stands in the answer, cents or not."""
    figures = _FIGURE.findall(text.split("**")[1]) if "**" in text else []
    return bool(figures) and _whole(figures[-1]) in {_whole(found) for found in _FIGURE.findall(answer)}


def _whole(figure: str) -> str:
    return figure.partition(",")[0].replace(".", "")
