"""How long the application reads a body; how much of it, through the API: tests/api/test_service.py."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from maverik_backend.web.middleware.body_limit import LARGEST_BYTES, BodyLimit

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
PIECE: Message = {"type": "http.request", "body": b"x", "more_body": True}
END: Message = {"type": "http.request", "body": b"x", "more_body": False}
GONE: Message = {"type": "http.disconnect"}
NEVER_S = 1_000.0


async def ignore(_message: Message) -> None:
    """What the application says."""


def read(messages: list[Message], *, then_s: float = 0.0, **limits: float) -> list[Message]:
    """What reaches an application that reads until the client is gone; all but the first take ``then_s``."""
    received: list[Message] = []

    async def receive() -> Message:
        if len(received):
            await anyio.sleep(then_s)
        await anyio.lowlevel.checkpoint()
        return messages[len(received)]

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while not received or received[-1]["type"] != "http.disconnect":
            received.append(await receive())

    anyio.run(BodyLimit(app, **limits), SCOPE, receive, ignore)
    return received


def test_a_body_that_pauses_is_a_408_that_ends_the_connection() -> None:
    with pytest.raises(HTTPException) as caught:
        read([PIECE, END, GONE], then_s=NEVER_S, longest_pause_s=0.01)

    assert (caught.value.status_code, caught.value.headers) == (408, {"Connection": "close"})


def test_so_is_one_that_trickles() -> None:
    with pytest.raises(HTTPException) as caught:
        read([PIECE] * 9, then_s=0.01, body_s=0.03, longest_pause_s=NEVER_S)

    assert caught.value.status_code == 408


def test_one_that_is_complete_in_time_is_read_and_the_end_of_the_client_awaited_for_ever() -> None:
    assert read([END, GONE], then_s=0.6, body_s=0.5, longest_pause_s=0.5) == [END, GONE]


def test_the_time_until_the_application_reads_is_not_the_clients() -> None:
    async def busy(_scope: Scope, receive: Receive, _send: Send) -> None:
        await anyio.sleep(0.6)
        assert await receive() == END

    async def receive() -> Message:
        return END

    anyio.run(BodyLimit(busy, body_s=0.5, longest_pause_s=0.5), SCOPE, receive, ignore)


def answer_then_listen(receive: Receive, **limits: float) -> list[Message]:
    """What reaches an application that begins its answer and waits for the client to leave meanwhile."""
    received: list[Message] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                while not received or received[-1]["type"] != "http.disconnect":
                    received.append(await receive())

            group.start_soon(listen)
            await anyio.lowlevel.checkpoint()  # it waits already, as in a StreamingResponse
            await send({"type": "http.response.start", "status": 200, "headers": []})

    anyio.run(BodyLimit(app, **limits), SCOPE, receive, ignore)
    return received


def test_once_the_answer_has_begun_a_body_that_never_comes_is_no_error() -> None:
    async def receive() -> Message:
        await anyio.sleep(0.1)
        return GONE

    # The first wait began before the answer and is given up after that time.
    assert answer_then_listen(receive, longest_pause_s=0.09) == [GONE]


def test_nor_is_one_that_is_too_large() -> None:
    messages = iter([{**PIECE, "body": b"x" * LARGEST_BYTES}] * 2 + [GONE])

    async def receive() -> Message:
        await anyio.sleep(0.01)
        return next(messages)

    assert [len(message.get("body", b"")) for message in answer_then_listen(receive)] == [LARGEST_BYTES] * 2 + [0]
