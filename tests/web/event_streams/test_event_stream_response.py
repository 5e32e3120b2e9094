"""The response at its ASGI interface: what a server would see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from maverik_backend.services.turns.events import TextDelta, TurnEvent
from maverik_backend.services.turns.log import TurnLog
from maverik_backend.web.event_streams.response import EventStreamResponse
from tests.support.turns import finished

Messages = list[Any]


def _encode(events: Iterable[TurnEvent]) -> bytes:
    return b"".join(event.text.encode() for event in events if isinstance(event, TextDelta))


def _response(log: TurnLog, **options: Any) -> EventStreamResponse:
    return EventStreamResponse(
        log, encode=_encode, headers={"Content-Type": "text/event-stream"}, ping=b"ping", **options
    )


async def _never() -> Any:
    await asyncio.Event().wait()


def _complete_log() -> TurnLog:
    log = TurnLog()
    log.append(TextDelta(text="hola"))
    log.append(finished())
    return log


def test_a_complete_log_is_sent_and_the_response_ended() -> None:
    sent: Messages = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http"}
    asyncio.run(_response(_complete_log())(scope, _never, send))

    assert sent[0]["headers"] == [(b"content-type", b"text/event-stream")]
    assert b"".join(message.get("body", b"") for message in sent) == b"hola"
    assert [message.get("more_body") for message in sent[1:]] == [True, False]
    assert scope["state"]["stream_end"] == "complete"


def test_a_client_that_leaves_ends_the_response_while_the_turn_goes_on() -> None:
    log = TurnLog()
    scope: dict[str, Any] = {"type": "http"}

    async def disconnect() -> Any:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None: ...

    asyncio.run(asyncio.wait_for(_response(log)(scope, disconnect, send), timeout=60))

    assert scope["state"] == {"stream_end": "client_left"}
    assert log.listener_count == 0
    assert not log.is_complete


def test_a_client_that_reads_nothing_is_cut_off() -> None:
    scope: dict[str, Any] = {"type": "http"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    asyncio.run(asyncio.wait_for(_response(_complete_log(), write_timeout_s=0.01)(scope, _never, send), timeout=60))

    assert scope["state"]["stream_end"] == "client_stalled"
