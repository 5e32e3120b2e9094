"""What is decided before an assistant is asked: pure functions over a message and what the conversation remembers.

==========================================  ===========================================================================
The message                                 What follows
==========================================  ===========================================================================
tells of danger or trouble                  the text of its kind is the answer; no assistant is asked
tries to change the product's rules         a refusal is the answer
comes later in such a conversation: a few   help again is the answer
words, or a wish to invest or to borrow
comes later and asks something else         the assistant is asked, told of it, and a reminder comes first
==========================================  ===========================================================================

Nothing of it is advice: while ``Verdict.care`` is set, a conversation gets no portfolio.
"""

from __future__ import annotations

from dataclasses import dataclass

from maverik_backend.core.phrases import any_of, words_of
from maverik_backend.services.safety.care import Care, care_in
from maverik_backend.services.safety.injection import is_injection
from maverik_backend.services.safety.phrases import DEFINITION
from maverik_backend.texts import care as texts

_TEXTS = {
    Care.MEDICAL: texts.MEDICAL,
    Care.DISTRESS_OF_ANOTHER: texts.DISTRESS_OF_ANOTHER,
    Care.DISTRESS: texts.DISTRESS,
    Care.CHILD: texts.CHILD,
    Care.ELDER: texts.ELDER,
    Care.VIOLENCE: texts.VIOLENCE,
    Care.THREATS: texts.THREATS,
    Care.GAMBLING: texts.GAMBLING,
    Care.FRAUD: texts.FRAUD,
    Care.STRAIN: texts.STRAIN,
}
_URGENCY = list(Care)
MAX_VAGUE_WORDS = 4
# After one of these, wishes to invest or to borrow wait; after the others they are answered, with a reminder.
_DECISIONS_WAIT = frozenset(_URGENCY) - {Care.FRAUD, Care.STRAIN}
_DECIDES = any_of(
    r"(?:re)?inv[ie]+rt\w*|inversion(?:es)?|portafolio|cartera|cripto\w*|bitcoin|acciones|trading|prestamo|credito|"
    r"comprar\w*|compro|recuper\w+|ganar|duplicar|arriesg\w+|apost\w+|jugar"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a message means for its turn.

    ``care`` is what the conversation remembers from now on. ``answer`` is all that is said, without asking an
    assistant. Otherwise ``lead`` comes before the assistant's answer, and ``instruction`` is what it is told.
    """

    care: Care | None = None
    answer: str | None = None
    lead: str | None = None
    instruction: str | None = None


def judge(message: str, *, remembered: str | None) -> Verdict:
    """``remembered`` is the stored value of ``Verdict.care``; one of another release counts as distress."""
    known = _known(remembered)
    if (found := care_in(message)) is not None:
        return Verdict(care=_more_urgent(found, known), answer=_TEXTS[found])
    if is_injection(message):
        return Verdict(care=known, answer=texts.INJECTION)
    if known is None:
        return Verdict()
    help_text = texts.HELP[known.value]
    if _waits(message, known):
        is_fraud = known is Care.FRAUD
        still = texts.STILL_FRAUD.format(help=help_text) if is_fraud else texts.STILL.format(help=help_text)
        return Verdict(care=known, answer=still)
    return Verdict(care=known, lead=texts.REMINDER.format(help=help_text), instruction=texts.INSTRUCTIONS[known.value])


def _known(remembered: str | None) -> Care | None:
    if remembered is None:
        return None
    return Care(remembered) if remembered in _URGENCY else Care.DISTRESS


def _more_urgent(found: Care, known: Care | None) -> Care:
    return found if known is None else min(found, known, key=_URGENCY.index)


def _waits(message: str, known: Care) -> bool:
    said = words_of(message)
    if DEFINITION.match(said):
        return False
    return len(said.split()) <= MAX_VAGUE_WORDS or (known in _DECISIONS_WAIT and bool(_DECIDES.search(said)))
