"""What happens in a turn, as numbered events that every surface encodes in its own way.

An event's number is its index in the turn's log (``log.py``). The texts of all :class:`TextDelta` of a turn, joined,
are exactly the text that is stored. :class:`Finished` and :class:`Failed` are last; exactly one of them ends a log.

As JSON (:func:`encode`) a text delta is its text and any other event an object with ``type`` and its fields: what
replicas hand each other. The first and the last event are not handed on: that a turn runs, and how it ended, is read
from its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from maverik_backend.errors import MaverikError
from maverik_backend.services.turns.records import PORTFOLIO, Turn
from maverik_backend.services.turns.records import Source as Source  # noqa: PLC0414 - an event, too
from maverik_backend.services.usage import Usage as Usage  # noqa: PLC0414 - an event, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The turn is on record and its ``attempt`` (from 1) runs."""

    turn_id: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """The next piece of the text, already cleaned: never empty, never taken back."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The assistant calls tool ``name`` with ``arguments`` (a JSON object). ``call_id`` is unique in the turn."""

    call_id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What the tool of ``call_id`` returned (JSON), or why it failed when ``is_error``."""

    call_id: str
    result: Any = None
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Structured data that belongs to the turn: ``name`` says what it is (``portafolio``), ``value`` is JSON."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The turn ended (*completada*, *respaldo*, *detenida*) and is stored as ``turn`` says."""

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The turn ended without being stored as answered; ``error`` is ``None`` for a defect of this program."""

    error: MaverikError | None


StoredEvent = TextDelta | ToolCall | ToolResult | Source | Data | Usage
TurnEvent = Started | StoredEvent | Finished | Failed
EncodedEvent = str | dict[str, Any]
Emit = Callable[[StoredEvent], None]

_TYPES: Mapping[str, type[StoredEvent]] = {kind.__name__: kind for kind in (ToolCall, ToolResult, Source, Data, Usage)}


def is_last(event: TurnEvent) -> bool:
    """Whether nothing follows ``event``."""
    return isinstance(event, Finished | Failed)


def encode(event: StoredEvent) -> EncodedEvent:
    """``event`` as JSON. Almost every event is a text delta, of which a heartbeat encodes thousands."""
    return event.text if isinstance(event, TextDelta) else {"type": type(event).__name__, **asdict(event)}


def decode(stored: EncodedEvent) -> StoredEvent | None:
    """The event that :func:`encode` wrote, perhaps in another release.

    Fields that this release does not know are left out; ``None`` for a type that it does not know, or whose fields are
    not all there.
    """
    if isinstance(stored, str):
        return TextDelta(text=stored)
    kind = _TYPES.get(stored.get("type", ""))
    if kind is None:
        return None
    known = {field.name: stored[field.name] for field in fields(kind) if field.name in stored}
    try:
        return kind(**known)
    except TypeError:
        return None


def text_of(events: Sequence[TurnEvent]) -> str:
    """The text of a turn as far as ``events`` bring it."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def remaining_events(turn: Turn, seen: Sequence[TurnEvent] = ()) -> Iterator[StoredEvent]:
    """The events between the first and the last of an answered turn, without those that were ``seen``."""
    if text := (turn.markdown or "")[len(text_of(seen)) :]:
        yield TextDelta(text=text)
    yield from turn.sources[sum(isinstance(event, Source) for event in seen) :]
    if turn.portfolio and not any(isinstance(event, Data) and event.name == PORTFOLIO for event in seen):
        yield Data(name=PORTFOLIO, value=turn.portfolio)
