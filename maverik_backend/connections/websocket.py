"""WebSockets (RFC 6455), bounded: uvicorn's sans-I/O protocol on a connection that ``protocol.py`` has upgraded.

=====================  ==============================================================================================
What                   Bound (:class:`~maverik_backend.connections.limits.ConnectionLimits`)
=====================  ==============================================================================================
how many               ``max_websockets`` of all connections, and as connections those of one address: 503
the opening handshake  as any request's head; what comes before it is answered is a 400
silence                a ping each ``ping_interval_s``, which has ``ping_timeout_s``: 1011
a message              ``max_message_bytes``: 1009; ``max_fragments``: 1008
messages               ``max_frames_per_s``, ``max_frames_at_once``: 1008. Reading stops until the route took them
a client that reads    ``unread_window_s`` as for answers: cut. ``send`` waits while more than the transport's buffer
nothing                is unsent, so that a route which awaits it holds no more
the closing handshake  ``linger_s``; ``max_discarded_bytes``, which are thrown away
=====================  ==============================================================================================

Nothing is compressed (RFC 7692): a few bytes would become many, and each connection would hold two windows. Frames are
parsed a slice at a time. uvicorn has no public way to do any of this: tests/connections/test_websockets.py fails when
what is overridden here changes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from maverik_backend.connections.limits import ConnectionLimits
from maverik_backend.connections.protocol import PROBLEMS, SLICE_BYTES
from maverik_backend.connections.table import ConnectionTable, Cut
from maverik_backend.connections.writing import WatchedWriting

# What a refused handshake says about the protocol (RFC 6455, section 4.4).
VERSION = b"Sec-WebSocket-Version: 13\r\n"
STATUS_SWITCHING_PROTOCOLS = 101
_CUTS = {CloseCode.MESSAGE_TOO_BIG: Cut.MESSAGE_TOO_LARGE, CloseCode.POLICY_VIOLATION: Cut.TOO_MANY_FRAMES}


def _is_not_of_clients(record: logging.LogRecord) -> bool:
    """Whether a line is not about text that a client did not send as UTF-8: these are counted in the table."""
    return not (record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError))


# uvicorn and websockets log addresses, whose query may hold a token, and frames: only errors of ours are news.
_log = logging.getLogger("uvicorn.error.websocket")
_log.setLevel(logging.ERROR)
_log.addFilter(_is_not_of_clients)


class _TooManyFramesError(Exception):
    """What the parser gives up with; its close frame has been made."""


class _BoundedFrames(ServerProtocol):
    """The library's protocol without extensions, which counts frames as they are parsed."""

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__(max_size=limits.max_message_bytes, logger=_log)
        self._limits = limits
        self._allowance = float(limits.max_frames_at_once)
        self._counted_at = time.monotonic()
        self._fragments = 0

    def recv_frame(self, frame: Frame) -> None:
        if self._is_one_too_many(frame):
            self.fail(CloseCode.POLICY_VIOLATION, "too many frames")
            self.parser_exc = _TooManyFramesError()
        else:
            super().recv_frame(frame)

    def _is_one_too_many(self, frame: Frame) -> bool:
        now = time.monotonic()
        regained = (now - self._counted_at) * self._limits.max_frames_per_s
        self._allowance = min(self._limits.max_frames_at_once, self._allowance + regained) - 1
        self._counted_at = now
        if frame.opcode in DATA_OPCODES:
            self._fragments = self._fragments + 1 if frame.opcode is Opcode.CONT else 1
        return self._allowance < 0 or self._fragments > self._limits.max_fragments


class BoundedWebSocket(WatchedWriting, WebSocketsSansIOProtocol):
    """uvicorn makes one for each upgrade; ``table`` and ``refusals`` are those of ``BoundedProtocol``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        table: ConnectionTable,
        refusals: Mapping[Cut, bytes],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._watch(table)
        self.logger = _log
        self.conn = _BoundedFrames(self._limits)
        self.ping_interval = self._limits.ping_interval_s
        self.ping_timeout = self._limits.ping_timeout_s
        self.close_timeout = self._limits.linger_s
        self._server_state = server_state
        self._refusals = refusals
        self._is_ended = False  # by this side: nothing more is read or sent
        self._discarded_bytes = 0
        self._deadline = float("inf")

    # --- What the table asks ---------------------------------------------------------------------------------------

    def _check_time(self, now: float) -> None:
        """A transport that closes delivers what is unsent first, for as long as ``linger_s``."""
        if not self.transport.is_closing():
            return
        self._deadline = min(self._deadline, now + self._limits.linger_s)
        if now >= self._deadline:
            self.abort()

    # --- What the transport says -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn exchanges the protocols after this.
        self._table.upgrade(self.transport.get_protocol(), to=self)  # type: ignore[arg-type] # a BoundedProtocol

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.leave(self)
        self._tell_end(CloseCode.ABNORMAL_CLOSURE)  # the first one told counts; uvicorn says 1005
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE_BYTES):
            if self.transport.is_closing():
                return
            if self._is_ended:
                self._discard(len(data) - start)
                return
            self._feed(data[start : start + SLICE_BYTES])

    def _feed(self, data: bytes) -> None:
        if self.handshake_initiated and not self.handshake_complete:  # RFC 6455, section 4.1: clients have to wait
            self._refuse(Cut.MALFORMED)
            return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self._is_ended:  # a line that is longer than the library takes
            self._refuse(Cut.HEAD_TOO_LARGE)

    def _discard(self, count: int) -> None:
        self._discarded_bytes += count
        if self._discarded_bytes > self._limits.max_discarded_bytes:
            self.transport.close()

    # --- The opening handshake -------------------------------------------------------------------------------------

    def handle_connect(self, event: Request) -> None:
        if self._table.websockets > self._limits.max_websockets:
            self._refuse(Cut.FULL)
        elif self.conn.accept(event).status_code == STATUS_SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            self._refuse(Cut.MALFORMED)

    def _refuse(self, cut: Cut) -> None:
        """Answer the handshake with a problem, in place of the route."""
        self._table.count(cut)
        fields = b"".join(name + b": " + value + b"\r\n" for name, value in self._server_state.default_headers)
        self.transport.write(STATUS_LINE[PROBLEMS[cut].status] + fields + VERSION + self._refusals[cut])
        self.handshake_initiated = self.handshake_complete = True
        self._tell_end(CloseCode.ABNORMAL_CLOSURE)
        self._end()

    # --- The end ---------------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """1012 (service restart): clients connect anew, to a process that stays."""
        if self.close_sent or self.transport.is_closing():
            return
        if self.handshake_complete:
            self._close(CloseCode.SERVICE_RESTART)
        else:
            self._refuse(Cut.FULL)

    def keepalive_timeout(self) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        if self.read_paused:  # its pong waits behind messages that the route has not taken
            self.stop_keepalive()
            self.schedule_ping()
            return
        self._table.count(Cut.PING_UNANSWERED)
        self._close(CloseCode.INTERNAL_ERROR, "ping unanswered")

    def handle_ping(self) -> None:
        if not self._is_ended:  # else its pong went with the close frame
            super().handle_ping()

    def handle_parser_exception(self) -> None:
        """The parser gave up, and has made the close frame."""
        close = self.conn.close_sent
        code = close.code if close else CloseCode.ABNORMAL_CLOSURE
        self._table.count(_CUTS.get(CloseCode(code), Cut.BAD_FRAME))
        self._tell_end(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._end()

    def _close(self, code: CloseCode, reason: str = "") -> None:
        self._tell_end(code)
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._end()

    def _tell_end(self, code: int) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code)})

    def _end(self) -> None:
        """Wait a little for the client to close: closing at once would reset what it has not read."""
        self._is_ended = self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.writable.set()  # what waits to be sent is not
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    async def send(self, message: ASGISendEvent) -> None:
        await self.writable.wait()
        if self._is_ended:
            raise ClientDisconnected
        await super().send(message)
