"""A completion while it arrives: pieces of text and of calls, put together.

Adapters add what they read; nothing here knows a provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from pydantic_core import from_json

from maverik_backend.clients.llm.base import Citation, Completion, ModelUsage, OnText, StopReason, ToolCall
from maverik_backend.errors import UpstreamBadAnswer, UpstreamIncomplete, UpstreamTooLarge

MAX_CHARS = 1_000_000
"""Of texts and arguments of one completion together."""
MAX_TOOL_CALLS = 64
MAX_CITATIONS = 100
OWN_ID_PREFIX = "call_local_"
"""Begins the ids that are given here to calls that came without one."""


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str]
    signature: str | None = None


class CompletionBuilder:
    """One attempt at a completion. Used by one thread at a time."""

    def __init__(self, service: str, on_text: OnText | None = None) -> None:
        self.stop_reason: StopReason | None = None
        self.is_refused = False
        self.usage = ModelUsage()
        self.signature: str | None = None
        self.notes: dict[str, Any] = {}
        """What an adapter has to remember from one event to a later one."""
        self._service = service
        self._on_text = on_text
        self._text: list[str] = []
        self._flushed = 0
        self._calls: list[_Call] = []
        self._open_calls: dict[object, _Call] = {}
        self._citations: dict[str, Citation] = {}
        self._remaining_chars = MAX_CHARS

    @property
    def has_begun(self) -> bool:
        """Whether a part of the answer has arrived, text or a call."""
        return bool(self._text or self._calls)

    def add_text(self, piece: str | None) -> None:
        """Append ``piece`` to the text; :meth:`flush` hands it on."""
        if piece:
            self._count(piece)
            self._text.append(piece)

    def flush(self) -> None:
        """Hand on what came since the last time, as one piece."""
        count = len(self._text)
        if self._on_text is not None and self._flushed < count:
            piece = self._text[-1] if self._flushed == count - 1 else "".join(self._text[self._flushed :])
            self._flushed = count
            self._on_text(piece)

    def begin_call(self, key: object, *, name: str, call_id: str | None, signature: str | None = None) -> None:
        """Another call; from now on it is the one whose arguments come under ``key``."""
        if len(self._calls) >= MAX_TOOL_CALLS:
            raise UpstreamTooLarge(self._service, f"more than {MAX_TOOL_CALLS} calls")
        if not name:
            raise UpstreamBadAnswer(self._service, "a call without a name")
        call = _Call(call_id or OWN_ID_PREFIX + token_hex(8), name, [], signature)
        self._calls.append(call)
        self._open_calls[key] = call

    def add_arguments(self, key: object, piece: str | None) -> None:
        """Append ``piece`` of JSON to the arguments of the call under ``key``."""
        if piece:
            self._count(piece)
            self._open_calls[key].arguments.append(piece)

    def id_of_call(self, key: object) -> str | None:
        """The id of the call under ``key``; ``None`` when there is none."""
        call = self._open_calls.get(key)
        return call.id if call else None

    def add_citation(self, url: str | None, title: str | None) -> None:
        """A page that the text rests on; each one once, no more than :data:`MAX_CITATIONS`."""
        if url and len(self._citations) < MAX_CITATIONS:
            self._citations.setdefault(url, Citation(title=title or url, url=url))

    def completion(self) -> Completion:
        """The whole.

        Raises:
            UpstreamIncomplete: when no reason came why it ended.
        """
        if self.stop_reason is None:
            raise UpstreamIncomplete(self._service, "no end")
        stop_reason = self._effective_stop_reason(self.stop_reason)
        is_waiting = stop_reason is StopReason.TOOL_CALLS
        return Completion(
            text="".join(self._text),
            stop_reason=stop_reason,
            tool_calls=tuple(map(_finished, self._calls)) if is_waiting else (),
            usage=self.usage,
            citations=tuple(self._citations.values()),
            signature=self.signature,
        )

    def _effective_stop_reason(self, given: StopReason) -> StopReason:
        """Some providers say that the model finished although it refused, or waits for results of calls."""
        if given not in {StopReason.FINISHED, StopReason.TOOL_CALLS}:
            return given
        if self.is_refused:
            return StopReason.REFUSED
        return StopReason.TOOL_CALLS if self._calls else StopReason.FINISHED

    def _count(self, piece: str) -> None:
        self._remaining_chars -= len(piece)
        if self._remaining_chars < 0:
            raise UpstreamTooLarge(self._service, f"more than {MAX_CHARS} characters")


def _finished(call: _Call) -> ToolCall:
    arguments = _object("".join(call.arguments) or "{}")
    return ToolCall(id=call.id, name=call.name, arguments=arguments, signature=call.signature)


def _object(json_text: str) -> Mapping[str, Any] | None:
    try:
        value = from_json(json_text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
