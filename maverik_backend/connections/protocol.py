"""HTTP/1.1 on one connection, bounded: uvicorn's httptools protocol, which counts what it is sent and by when.

=================  ============================  ==================================================================
Phase              Begins with                   Bounds (:class:`~maverik_backend.connections.limits.ConnectionLimits`)
=================  ============================  ==================================================================
*waiting*          connecting, or an answer      ``head_s`` after connecting, ``keep_alive_s`` after an answer
*head*             the first byte of a request   ``max_head_bytes``, ``max_headers``, ``head_s``: 431, 408; the time
                                                 of the first head runs from connecting
*answering*        the end of the head           ``max_body_wire_bytes``, ``max_framing_bytes``,
                                                 ``max_headers`` trailers: 413; its time is bounded where it is
                                                 read (``web/middleware/body_limit.py``)
*draining*         an answer before the end of   ``max_drained_bytes``, ``drain_s``, and of the whole body those above
                   the body
*closing*          a refusal                     ``linger_s``; ``max_discarded_bytes``, which are thrown away
=================  ============================  ==================================================================

In each of them an answer has to be read (``unread_window_s``). One request at a time: what a client sends before the
answer (pipelining, RFC 9112, section 9.3.2) is not read; the connection is closed after that answer, and the client
repeats the rest. Fields after a chunked body (trailers) are dropped: they are no headers (RFC 9110, section 6.5.1).
An ``Upgrade`` is ignored (RFC 9110, section 7.8), but for the opening handshake of a WebSocket at a path that takes
one: ``connections/websocket.py`` goes on with the connection.

uvicorn has no public way to do any of this. tests/connections fails when what is overridden here changes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from maverik_backend.connections.limits import CONTENT_BYTES_PER_FRAMING_BYTE
from maverik_backend.connections.table import ConnectionTable, Cut
from maverik_backend.connections.writing import WatchedWriting
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.errors import Overloaded
from maverik_backend.web import problems
from maverik_backend.web.client_info import canonical_address
from maverik_backend.web.middleware.security_headers import HEADERS

# What the parser is given at once: a bound on bytes is exceeded by less than this.
SLICE_BYTES = 8 * 1024

# uri-host and port (RFC 3986, section 3.2.2), which may be empty (RFC 9112, section 3.2).
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")

# uvicorn warns of each malformed request, which anyone could fill the log with: they are counted in the table, which
# tells it once a sweep. Errors of the application reach uvicorn's log as ever.
_log = logging.getLogger("uvicorn.error.connection")
_log.setLevel(logging.ERROR)


class Phase(Enum):
    """What the connection is busy with; see the table above."""

    WAITING = auto()
    HEAD = auto()
    ANSWERING = auto()
    DRAINING = auto()
    CLOSING = auto()


class _RefusedError(Exception):
    """Ends the parser's work from within one of its callbacks."""


def _refusal(problem: problems.Problem, headers: Mapping[str, str]) -> bytes:
    """A complete answer but for the line of its status and the server's own headers."""
    response = problems.response_of(problem, extra_headers={**headers, "Connection": "close"})
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return fields + b"\r\n" + bytes(response.body)


PROBLEMS = {
    Cut.FULL: problems.PROBLEMS[Overloaded],
    Cut.MALFORMED: problems.of_status(400),
    Cut.HEAD_TOO_SLOW: problems.of_status(408),
    Cut.BODY_TOO_LARGE: problems.of_status(413),
    Cut.HEAD_TOO_LARGE: problems.of_status(431),
}


def make_refusals(headers: Mapping[str, str] = HEADERS) -> Mapping[Cut, bytes]:
    """What each kind of refusal answers; ``headers`` are those of every answer of the application."""
    return {cut: _refusal(problem, headers) for cut, problem in PROBLEMS.items()}


class BoundedProtocol(WatchedWriting, HttpToolsProtocol):
    """uvicorn makes one for each connection; ``table`` and ``refusals`` are shared by all of them.

    ``takes_websocket`` says whether a path does.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        table: ConnectionTable,
        refusals: Mapping[Cut, bytes],
        takes_websocket: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _log
        self._watch(table)
        self._refusals = refusals
        self._takes_websocket = takes_websocket
        self._is_websocket = False
        self._successor: asyncio.BaseProtocol | None = None
        self._phase = Phase.WAITING
        self._deadline = self.loop.time() + self._limits.head_s
        self._is_first_head = True
        self._received_bytes = 0  # in this phase
        self._wire_bytes = 0  # of the body, but for what came in one piece with the end of the head
        self._content_bytes = 0  # of the body
        self._trailers = 0
        self._is_body_complete = True
        self._is_listening = True
        self._cut: Cut | None = None

    # --- What the table asks ---------------------------------------------------------------------------------------

    def _check_time(self, now: float) -> None:
        if now >= self._deadline:
            self._expire()

    def _expire(self) -> None:
        if self._phase is Phase.HEAD:
            self._refuse(Cut.HEAD_TOO_SLOW)
        elif self._phase is Phase.DRAINING:
            self._table.count(Cut.BODY_TOO_SLOW)
            self.abort()
        elif self._phase is Phase.CLOSING:
            self.abort()
        else:
            self.transport.close()

    # --- What the transport says -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        address = ClientInfo(address=canonical_address(peer) or peer).limit_address
        if not self._table.enter(self, address=address):
            self._table.count(Cut.FULL)
            transport.write(self._refusal_bytes(Cut.FULL))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE_BYTES):
            if self.transport.is_closing():
                return
            if isinstance(self._successor, asyncio.Protocol):
                self._successor.data_received(data[start:])
                return
            if self._phase is Phase.CLOSING:
                self._discard(len(data) - start)
                return
            if not self._is_listening:
                self.flow.pause_reading()
                return
            self._feed(data[start : start + SLICE_BYTES])

    def _discard(self, count: int) -> None:
        self._received_bytes += count
        if self._received_bytes > self._limits.max_discarded_bytes:
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        if self._phase is Phase.WAITING:
            self._begin_head()
        self._received_bytes += len(data)
        self._wire_bytes += len(data)
        self._parse(data)
        if self._phase is not Phase.CLOSING and self._is_listening and (cut := self._excess()):
            self._refuse(cut)

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.send_400_response(str(error))
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            if self._is_websocket:
                self._hand_over(rest)
            else:
                self._ignore_upgrade(rest)

    def _excess(self) -> Cut | None:
        """Which bound on bytes is exceeded; by less than a slice."""
        limits = self._limits
        if self._is_body_complete:
            return Cut.HEAD_TOO_LARGE if self._received_bytes > limits.max_head_bytes else None
        framing_bytes = self._wire_bytes - self._content_bytes
        is_too_large = (
            self._wire_bytes > limits.max_body_wire_bytes
            or framing_bytes > limits.max_framing_bytes + self._content_bytes // CONTENT_BYTES_PER_FRAMING_BYTE
            or (self._phase is Phase.DRAINING and self._received_bytes > limits.max_drained_bytes)
        )
        return Cut.BODY_TOO_LARGE if is_too_large else None

    # --- What the parser says --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._is_repeated_head():
            return
        if self._phase is Phase.ANSWERING:
            self._stop_listening()
            self._table.count(Cut.PIPELINED)
            raise _RefusedError
        if self._phase is Phase.WAITING:  # the last body and this head came in one piece
            self._begin_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is not Phase.HEAD:
            self._count_trailer()
            return
        if len(self.headers) >= self._limits.max_headers:
            self._cut = Cut.HEAD_TOO_LARGE
            raise _RefusedError
        super().on_header(name, value)

    def _check_host(self) -> None:
        """RFC 9112, section 3.2: one, which only HTTP/1.0 may leave out; of several a proxy could take another."""
        hosts = [value for name, value in self.headers if name == b"host"]
        is_needed = self.parser.get_http_version() != "1.0"
        if len(hosts) > 1 or (is_needed and not hosts) or not all(map(_HOST.fullmatch, hosts)):
            raise _RefusedError

    def _count_trailer(self) -> None:
        self._trailers += 1
        if self._trailers > self._limits.max_headers:
            self._cut = Cut.BODY_TOO_LARGE
            raise _RefusedError

    def on_headers_complete(self) -> None:
        if self._is_repeated_head():
            return
        self._check_host()
        self._is_websocket = self._asks_for_websocket()
        super().on_headers_complete()
        self._is_body_complete = False
        self._wire_bytes = self._content_bytes = self._trailers = 0
        self._enter(Phase.ANSWERING)

    def on_body(self, body: bytes) -> None:
        self._content_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and self._framing_fields():  # its body follows
            return
        super().on_message_complete()
        self._is_body_complete = True
        self._received_bytes = 0
        if self._phase is Phase.DRAINING:
            self._enter(Phase.WAITING, seconds=self._limits.keep_alive_s)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._phase is not Phase.ANSWERING:
            return
        if self._is_body_complete:
            self._enter(Phase.WAITING, seconds=self._limits.keep_alive_s)
        else:
            self._enter(Phase.DRAINING, seconds=self._limits.drain_s)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn does when the parser gave up, here as a problem (RFC 9457)."""
        del msg
        if self._is_listening:
            self._refuse(self._cut or Cut.MALFORMED)

    def _should_upgrade(self) -> bool:
        return self._is_websocket

    def _asks_for_websocket(self) -> bool:
        """Whether the head is an opening handshake (RFC 6455, section 4.1) for a path that takes one."""
        return (
            self._should_upgrade_to_ws()
            and self.parser.should_upgrade()
            and self._get_upgrade() == b"websocket"
            and self.parser.get_method() == b"GET"
            and not self._framing_fields()
            and self._takes_websocket(unquote(httptools.parse_url(self.url).path.decode("ascii")))
        )

    def _hand_over(self, rest: bytes) -> None:
        """Let the protocol of WebSockets go on with this connection, and with what came behind the head."""
        self.handle_websocket_upgrade()
        self._successor = self.transport.get_protocol()
        if rest and isinstance(self._successor, asyncio.Protocol):
            self._successor.data_received(rest)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Answer over HTTP/1.1. The parser takes ``rest`` for another protocol; a body in it is given to a new one."""
        framing = self._framing_fields()
        if not framing:
            self._stop_listening()
            return
        self.parser = httptools.HttpRequestParser(self)
        fields = b"".join(name + b": " + value + b"\r\n" for name, value in framing)
        self._parse(b"POST / HTTP/1.1\r\n" + fields + b"\r\n")
        self._parse(rest)

    def _framing_fields(self) -> list[tuple[bytes, bytes]]:
        """The fields that say that there is a body and where it ends (RFC 9112, section 6)."""
        return [field for field in self.headers if field[0] in {b"content-length", b"transfer-encoding"}]

    def _is_repeated_head(self) -> bool:
        """Whether the parser reads what :meth:`_ignore_upgrade` made for it: no other head begins within a body."""
        return not self._is_body_complete

    # --- The phases ------------------------------------------------------------------------------------------------

    def _enter(self, phase: Phase, *, seconds: float = float("inf")) -> None:
        self._phase = phase
        self._deadline = self.loop.time() + seconds
        if phase is not Phase.HEAD:
            self._received_bytes = 0
        self._table.set_idle(self, is_idle=phase is not Phase.ANSWERING)

    def _begin_head(self) -> None:
        if self._is_first_head:  # its time has been running since the client connected
            self._phase = Phase.HEAD
        else:
            self._enter(Phase.HEAD, seconds=self._limits.head_s)
        self._is_first_head = False

    def _stop_listening(self) -> None:
        """Close the connection with the answer that is under way."""
        self._is_listening = False
        self.cycle.keep_alive = False
        self.flow.pause_reading()

    def _refuse(self, cut: Cut) -> None:
        """Answer why, unless an answer has begun already, and close once the client had time to read it."""
        self._table.count(cut)
        cycle = self.cycle
        is_answer_due = self._phase in {Phase.WAITING, Phase.HEAD} or (
            self._phase is Phase.ANSWERING and not cycle.response_started
        )
        if self._phase is Phase.ANSWERING:
            cycle.disconnected = True
            cycle.message_event.set()
        if is_answer_due:
            self.transport.write(self._refusal_bytes(cut))
        self._enter(Phase.CLOSING, seconds=self._limits.linger_s)
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _refusal_bytes(self, cut: Cut) -> bytes:
        server_headers = b"".join(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers)
        return STATUS_LINE[PROBLEMS[cut].status] + server_headers + self._refusals[cut]
