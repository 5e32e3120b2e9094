"""A RAG service that takes as long as its address says, in a process of its own: ``python -m tests.bench.rag_service``.

``POST /{ms}/api/chat`` answers after so many milliseconds, ``POST /hang/api/chat`` never; ``GET /waiting`` tells how
many requests have no answer yet. One asyncio protocol, so that a thousand callers cost next to nothing. Its port is the
first line that it prints.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

from tests.bench.load import LOOPBACK

ANSWER = "Conviene empezar por un presupuesto y un fondo de emergencia. " * 10


def reply(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


_ANSWER = reply(json.dumps({"response": ANSWER}).encode())


class RagService(asyncio.Protocol):
    """One connection; requests on it come one after the other."""

    waiting = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if found and len(body) >= length:
            self._received = b""
            self._handle(head.split(b"/", 2)[1])

    def _handle(self, first_segment: bytes) -> None:
        if first_segment.startswith(b"waiting"):
            self._transport.write(reply(b"%d" % RagService.waiting))
            return
        if first_segment == b"0":
            self._transport.write(_ANSWER)
            return
        RagService.waiting += 1
        if first_segment != b"hang":
            asyncio.get_running_loop().call_later(int(first_segment) / 1000, self._answer)

    def _answer(self) -> None:
        RagService.waiting -= 1
        self._transport.write(_ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(RagService, LOOPBACK, 0, backlog=2048)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
