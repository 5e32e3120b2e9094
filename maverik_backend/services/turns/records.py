"""Turns as services hand them around: domain objects that know neither tables nor wire shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from maverik_backend.models import TurnState

History = list[tuple[str, str]]
"""Pairs of what the participant wrote and what was answered, oldest first."""

PORTFOLIO = "portafolio"
"""The name of the ``Data`` event that carries a portfolio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something that the text rests on. ``url`` is ``None`` for what has no public address.

    A passage of a document has ``document_id``, ``passage_id`` and, where the document has pages, ``page`` (from 1).
    The document may have been removed since.
    """

    title: str
    url: str | None = None
    document_id: int | None = None
    page: int | None = None
    passage_id: int | None = None

    @property
    def is_citation(self) -> bool:
        """Whether it says where to look, besides its title."""
        return self.url is not None or self.document_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a participant wrote and how it was answered.

    ``state`` is as it reads now: *interrumpida* is a pending turn whose lease has run out, *detenida* one that its
    owner stopped. ``markdown`` and ``plain_text`` are the same answer, ``None`` while there is none; of a running turn
    they are what was generated so far. ``attempt`` counts from 1. ``portfolio`` is as it was stored, perhaps by
    another release.
    """

    id: int
    conversation_id: int
    attempt: int
    message: str
    markdown: str | None
    plain_text: str | None
    state: TurnState
    origin: str | None
    portfolio: dict[str, Any] | None
    sources: tuple[Source, ...]
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a turn that is on record as pending. ``context`` is what the conversation's adapter loaded.

    ``reservation_id`` is that of what was reserved of the principal's limits, ``None`` when nothing was.
    """

    turn_id: int
    number: int
    conversation_id: int
    message: str
    history: History
    context: Any
    reservation_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBy:
    """The assistant that was asked, and the version of its definition."""

    slug: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an assistant's answer ended: who answered, and the kind of failure when it was not the one that was asked.

    ``is_advice`` is false for small talk, redirections and refusals.
    """

    origin: str
    failure: str | None = None
    is_advice: bool = True
    answered_by: AnsweredBy | None = None

    @property
    def state(self) -> TurnState:
        """What the turn is stored as."""
        return TurnState.COMPLETED if self.failure is None else TurnState.FALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt brought, as it is stored. ``data`` holds the value of each ``Data`` event by its name."""

    state: TurnState
    text: str
    origin: str | None
    failure: str | None = None
    sources: tuple[Source, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    is_stopped: bool = False
    answered_by: AnsweredBy | None = None
