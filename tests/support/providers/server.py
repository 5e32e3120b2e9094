"""A server that plays a provider: it answers each request with what it is told, streams chunk by chunk.

with ProviderServer(stream([b"data: ..."]), json_answer({...}, status=429)) as server:
    ...  # talk to server.url; what arrived is in server.requests
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tests.support.servers import Peer, RawServer

Answering = Callable[[Peer], None]
EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it arrived; ``headers`` have lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    json: Any


class ProviderServer:
    """Answers requests in their order, the last answer all that follow."""

    def __init__(self, *answers: Answering) -> None:
        self.requests: list[Received] = []
        self._answers = deque(answers)
        self._lock = threading.Lock()
        self._server = RawServer(self._serve)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def connections(self) -> int:
        return self._server.connections

    def wait_until_closed(self, *, timeout_s: float = 20.0) -> bool:
        """Whether a connection was closed."""
        return self._server.closed.acquire(timeout=timeout_s)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def _serve(self, peer: Peer) -> None:
        while raw := peer.read_request():
            with self._lock:
                self.requests.append(_parsed(raw))
                answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
            try:
                answer(peer)
            except _HangUp:
                return


class _HangUp(Exception):
    """The connection is to be closed."""


def json_answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answering:
    """A whole answer."""
    data = json.dumps(body).encode()

    def answer(peer: Peer) -> None:
        head = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        peer.send(_head(status, head) + data)

    return answer


def stream(frames: Iterable[bytes], *, ends: bool = True, then: Answering | None = None) -> Answering:
    """A stream of one chunk each; then ``then`` happens, and unless it ``ends`` properly the connection is closed."""
    frames = tuple(frames)

    def answer(peer: Peer) -> None:
        peer.send(_head(200, {"Content-Type": EVENT_STREAM, "Transfer-Encoding": "chunked"}))
        for frame in frames:
            peer.send(chunk(frame))
        if then is not None:
            then(peer)
        if not ends:
            raise _HangUp
        peer.send(b"0\r\n\r\n")

    return answer


def in_pieces(frames: Sequence[bytes], size: int) -> list[bytes]:
    """The same bytes, cut anywhere."""
    data = b"".join(frames)
    return [data[start : start + size] for start in range(0, len(data), size)]


def until_client_leaves(peer: Peer) -> None:
    """Say nothing until the connection is closed from the other side."""
    peer.read_line()
    raise _HangUp


def hang_up(_peer: Peer) -> None:
    """Close the connection instead of an answer."""
    raise _HangUp


def chunk(data: bytes) -> bytes:
    """One chunk of a body (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def sse(data: Any, *, event: str | None = None) -> bytes:
    """One server-sent event."""
    name = f"event: {event}\n" if event else ""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"{name}data: {text}\n\n".encode()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _parsed(raw: bytes) -> Received:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Received(method=method, path=path, headers=headers, json=json.loads(body) if body else None)
