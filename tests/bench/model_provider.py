"""A provider of language models that streams at a fixed pace, in a process of its own: as each vendor does.

``python -m tests.bench.model_provider``. What was said last holds ``piezas-<pieces>x<pieces a second>``; of none a
second only one comes, and nothing more. Every piece is the moment when it left, in nanoseconds of the machine's
monotonic clock, so that a client sees how long it was on its way. One asyncio protocol, so that hundreds of streams
cost next to nothing. Its port is the first line that it prints.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import uvloop

from tests.bench.load import LOOPBACK
from tests.support.providers.server import chunk
from tests.support.providers.vendor import Scene, Vendor
from tests.support.providers.vendors import VENDORS

ORDER = "piezas-"
HANG = f"{ORDER}1x0"
_ORDER = re.compile(rf"{ORDER}(\d+)x(\d+)".encode())
_PIECE = "@@"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_VENDOR_OF_PATH: Mapping[bytes, str] = {
    b"/v1/chat/completions": "openai",
    b"/v1/messages": "anthropic",
    b":streamGenerateContent": "gemini",
    b"/v1/responses": "perplexity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a vendor streams: what comes before the pieces, a piece around its text, what comes after."""

    before: bytes
    piece: tuple[bytes, bytes]
    after: bytes

    @classmethod
    def of(cls, vendor: Vendor) -> Self:
        frames = vendor.frames(Scene(pieces=(_PIECE,)))
        place = next(number for number, frame in enumerate(frames) if _PIECE.encode() in frame)
        start, _, end = frames[place].partition(_PIECE.encode())
        return cls(before=b"".join(frames[:place]), piece=(start, end), after=b"".join(frames[place + 1 :]))

    def stamped_piece(self) -> bytes:
        """The event of one piece: a word that says when it was made."""
        start, end = self.piece
        return chunk(b"%bm%d, %b" % (start, time.monotonic_ns(), end))


_FORMATS = {name: Format.of(vendor) for name, vendor in VENDORS.items()}


class ModelProvider(asyncio.Protocol):
    """One connection; requests on it come one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        orders = _ORDER.findall(body)
        if found and head.startswith(b"GET"):  # a health probe
            self._received = b""
            self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif orders and len(body) >= length:  # without a length, in chunks: the order says all
            self._received = b""
            vendor = next(name for path, name in _VENDOR_OF_PATH.items() if path in head)
            pieces, per_s = orders[-1]
            self._begin(_FORMATS[vendor], int(pieces), int(per_s))

    def _begin(self, form: Format, pieces: int, per_s: int) -> None:
        self._transport.write(_HEAD + chunk(form.before) if form.before else _HEAD)
        if not per_s:
            self._transport.write(form.stamped_piece())
            return
        loop = asyncio.get_running_loop()
        self._send(loop, form, loop.time(), pieces, 1 / per_s)

    def _send(self, loop: asyncio.AbstractEventLoop, form: Format, due: float, remaining: int, pause_s: float) -> None:
        """At fixed moments: what comes late does not slow the rest down."""
        if self._transport.is_closing():
            return
        if not remaining:
            self._transport.write(chunk(form.after) + b"0\r\n\r\n")
            return
        self._transport.write(form.stamped_piece())
        loop.call_at(due + pause_s, self._send, loop, form, due + pause_s, remaining - 1, pause_s)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(ModelProvider, LOOPBACK, 0, backlog=2048)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
