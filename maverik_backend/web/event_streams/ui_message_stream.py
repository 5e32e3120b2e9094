"""Turn events as the AI SDK's UI message stream, version 1 (https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol).

Server-sent events whose data are JSON parts, ended by ``[DONE]``. Its clients refuse part types that they do not know,
so whatever is ours travels as ``data-*`` parts. The suite feeds what is written here to the npm package ``ai``.

=================  ==================================================================================================
Event              Parts
=================  ==================================================================================================
``Started``        ``start`` with the turn's ``messageId``, ``start-step``
``TextDelta``      ``text-start`` when no text is open, ``text-delta``
``ToolCall``       ``text-end`` when a text is open; a new step after tool results; ``tool-input-available``
``ToolResult``     ``tool-output-available``, or ``tool-output-error``
``Source``         ``source-url`` with an address, else ``source-document``
``Data``           ``data-<name>``
``Usage``          nothing: counted here, not shown there
``Finished``       ``data-turno`` (the turn as JSON), ``finish-step``, then ``finish``, or ``abort`` when it was stopped
``Failed``         ``error`` with a sentence
=================  ==================================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any

from maverik_backend.models import TurnState
from maverik_backend.services.turns import (
    Data,
    Failed,
    Finished,
    Source,
    Started,
    TextDelta,
    ToolCall,
    ToolResult,
    TurnEvent,
    TurnLog,
    Usage,
    is_last,
)
from maverik_backend.web import problems
from maverik_backend.web.event_streams.response import EventStreamResponse

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "x-vercel-ai-ui-message-stream": "v1",
    "X-Accel-Buffering": "no",
    "Cache-Control": "no-cache, no-store, no-transform",
}
PING = b": ping\n\n"
_DONE = b"data: [DONE]\n\n"
_SOURCE_MEDIA_TYPE = "text/markdown"

Part = dict[str, Any]


def respond(
    log: TurnLog, *, message_id: str, describe: Callable[[Finished], Any], headers: Mapping[str, str]
) -> EventStreamResponse:
    """The response that sends ``log``; ``describe`` gives the finished turn as JSON data."""
    stream = UiMessageStream(message_id=message_id, describe=describe, explain=_explain)
    return EventStreamResponse(log, encode=stream.encode, headers={**HEADERS, **headers}, ping=PING)


class UiMessageStream:
    """Encodes the events of one turn, in order, into frames. One object a connection: it holds what is open."""

    def __init__(
        self, *, message_id: str, describe: Callable[[Finished], Any], explain: Callable[[Failed], str]
    ) -> None:
        """``describe`` gives the finished turn as JSON data; ``explain`` a failure as a sentence for people."""
        self._message_id = message_id
        self._describe = describe
        self._explain = explain
        self._texts = 0
        self._sources = 0
        self._is_text_open = False
        self._has_results = False

    def encode(self, events: Iterable[TurnEvent]) -> bytes:
        """The frames of ``events``; after the last event of a turn also the end of the stream."""
        frames = bytearray()
        for event in events:
            if isinstance(event, TextDelta) and self._is_text_open and not self._has_results:
                frames += self._next_delta(event.text)
                continue
            for part in self._parts(event):
                frames += b"data: " + json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
            if is_last(event):
                frames += _DONE
        return bytes(frames)

    def _parts(self, event: TurnEvent) -> Iterator[Part]:
        match event:
            case Started():
                yield {"type": "start", "messageId": self._message_id}
                yield {"type": "start-step"}
            case TextDelta():
                yield from self._next_step()
                yield from self._text(event.text)
            case ToolCall():
                yield from self._end_text()
                yield from self._next_step()
                call = {"toolCallId": event.call_id, "toolName": event.name, "input": dict(event.arguments)}
                yield {"type": "tool-input-available", **call}
            case ToolResult():
                self._has_results = True
                yield _result(event)
            case Source():
                yield self._source(event)
            case Data():
                yield {"type": f"data-{event.name}", "data": event.value}
            case Usage():
                pass
            case Finished():
                yield from self._end_text()
                yield {"type": "data-turno", "data": self._describe(event)}
                yield {"type": "finish-step"}
                yield _finish(event)
            case Failed():
                yield from self._end_text()
                yield {"type": "error", "errorText": self._explain(event)}

    def _next_delta(self, delta: str) -> bytes:
        """The frame of a further ``text-delta``, nearly all that a stream consists of."""
        return (
            f'data: {{"type":"text-delta","id":"text-{self._texts}","delta":{encode_basestring(delta)}}}\n\n'.encode()
        )

    def _text(self, delta: str) -> Iterator[Part]:
        if not self._is_text_open:
            self._is_text_open = True
            self._texts += 1
            yield {"type": "text-start", "id": f"text-{self._texts}"}
        yield {"type": "text-delta", "id": f"text-{self._texts}", "delta": delta}

    def _end_text(self) -> Iterator[Part]:
        if self._is_text_open:
            self._is_text_open = False
            yield {"type": "text-end", "id": f"text-{self._texts}"}

    def _next_step(self) -> Iterator[Part]:
        """What follows tool results comes from another call of the model: a step of its own."""
        if self._has_results:
            self._has_results = False
            yield {"type": "finish-step"}
            yield {"type": "start-step"}

    def _source(self, source: Source) -> Part:
        self._sources += 1
        source_id = f"source-{self._sources}"
        if source.url is not None:
            return {"type": "source-url", "sourceId": source_id, "url": source.url, "title": source.title}
        part: Part = {
            "type": "source-document",
            "sourceId": source_id,
            "mediaType": _SOURCE_MEDIA_TYPE,
            "title": source.title,
        }
        if source.document_id is not None:
            place = {"documento_id": source.document_id, "pagina": source.page, "pasaje_id": source.passage_id}
            part["providerMetadata"] = {"maverik": place}
        return part


def _result(event: ToolResult) -> Part:
    if event.is_error:
        return {"type": "tool-output-error", "toolCallId": event.call_id, "errorText": str(event.result)}
    return {"type": "tool-output-available", "toolCallId": event.call_id, "output": event.result}


def _finish(event: Finished) -> Part:
    if event.turn.state is TurnState.STOPPED:
        return {"type": "abort"}
    return {"type": "finish", "finishReason": "other" if event.turn.state is TurnState.FALLBACK else "stop"}


def _explain(event: Failed) -> str:
    """The sentence that a JSON client would read for the same error."""
    problem = problems.INTERNAL if event.error is None else problems.refusal_of(event.error).problem
    return problem.text.detail
