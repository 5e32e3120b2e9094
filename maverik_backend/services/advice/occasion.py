"""When a portfolio belongs to an answer."""

from __future__ import annotations

from maverik_backend.advisor.intent import Intent, intent_of
from maverik_backend.clients.rag.base import Situation
from maverik_backend.core.phrases import any_of, words_of
from maverik_backend.services.advice.suited_risk import suited_risk

_GENERAL = any_of(
    r"(?:que|quien(?:es)?|cual(?:es)?) (?:es|son|era|significa|quiere decir|diferencia\w*)",
    r"como (?:funcionan?|se calculan?|se llama|se forma|hago para entender)",
    r"(?:que|cual es la|hay) diferencias?|diferencias? (?:hay )?entre|en que se diferencia\w*",
    r"(?:explica|contame|decime|defin)\w* (?:que|como|la|el|los|las)",
    r"(?:para que|cuanto|a cuanto) (?:sirve\w*|rinde\w*|paga\w*|cuesta\w*|vale\w*|sale\w*|esta\w*)",
)
_OWN = any_of(
    r"me conviene|recomend\w+|suger\w+|aconsej\w+|en que (?:pongo|invierto|puedo invertir)|donde (?:pongo|invierto)|"
    r"que (?:hago|hacemos|puedo hacer)|mi (?:objetivo|meta|plata|capital)|mis ahorros|quiero invertir"
)


def asks_for_portfolio(message: str) -> bool:
    """Whether a portfolio is what the person wants."""
    return intent_of(message) is Intent.PORTFOLIO


def calls_for_portfolio(message: str, *, has_goal: bool, is_due: bool) -> bool:
    """Whether the answer to ``message`` should carry one.

    Always when it is asked for; in a session with a goal also when it ``is_due`` (none was given for the facts as they
    are now), but beside no small talk, refusal or general knowledge.
    """
    if asks_for_portfolio(message):
        return True
    return has_goal and is_due and intent_of(message) is None and not asks_general_knowledge(message)


def asks_general_knowledge(message: str) -> bool:
    """Whether something is to be explained, rather than decided for this person."""
    said = words_of(message)
    return bool(_GENERAL.search(said)) and not _OWN.search(said)


def facts_behind(situation: Situation) -> str:
    """The facts that a portfolio is made for: another text when it would be another portfolio."""
    suited = suited_risk(situation)
    capital = "" if situation.capital is None else format(situation.capital.normalize(), "f")
    return ";".join([suited.profile.value, str(suited.months or ""), capital, situation.currency or ""])
