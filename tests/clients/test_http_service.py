"""``clients/http.py`` against services that misbehave, over real sockets."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest
import trustme

from maverik_backend.clients.breaker import MIN_CALLS, BreakerState
from maverik_backend.clients.http import MAX_ANSWER_BYTES, HttpService
from maverik_backend.clients.policy import BACKOFFS_S, RETRIED_STATUSES
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    UpstreamBadAnswer,
    UpstreamCircuitOpen,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.support.servers import CUT, LOOPBACK, Peer, RawServer, Reply, ScriptedServer, refusing_port

AMPLE_S = 60.0
SHORT_S = 0.4
LATE_S = 10.0  # for how long a loaded machine may stand still beyond a deadline; a drip would take 50 s
API_KEY = "xkeysib-very-secret"
PERSONAL_TEXT = "texto personal 4711"

Connect = Callable[[str], HttpService]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes services that call a given address, and closes them."""
    with ExitStack() as stack:

        def make(url: str) -> HttpService:
            service = HttpService("rag", url, headers={"api-key": API_KEY})
            return stack.enter_context(closing(service))

        yield make


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as scripted:
        yield scripted


def ample() -> Deadline:
    return Deadline.after(AMPLE_S)


def call(service: HttpService, *, within_s: float = AMPLE_S) -> object:
    return service.ask(
        "/api/chat", {"input": PERSONAL_TEXT}, parse=lambda body: body, deadline=Deadline.after(within_s)
    )


TRIES = 1 + len(BACKOFFS_S)


@contextmanager
def ends_at_deadline(seconds: float) -> Iterator[None]:
    """The block raises ``UpstreamTimeout``, not before ``seconds`` and hardly after."""
    start = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        yield
    assert seconds - 0.01 <= time.monotonic() - start < seconds + LATE_S


def head(*, length: int, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n".encode()


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = head(length=2) + b"{}"


class TestRequest:
    def test_payload_goes_as_json(self, server: ScriptedServer, connect: Connect) -> None:
        connect(server.url).post("/a/b", {"input": "¿Qué es la inflación?"}, deadline=ample())
        request = server.requests[0]
        assert (request.method, request.path) == ("POST", "/a/b")
        assert request.headers["content-type"] == "application/json"
        assert request.json == {"input": "¿Qué es la inflación?"}

    def test_no_payload_is_an_empty_body(self, server: ScriptedServer, connect: Connect) -> None:
        connect(server.url).post("/a", None, deadline=ample())
        assert server.requests[0].body == b""
        assert server.requests[0].headers["content-length"] == "0"

    def test_given_headers_go_with_every_call(self, server: ScriptedServer, connect: Connect) -> None:
        service = connect(server.url)
        service.post("/a", None, deadline=ample())
        service.post("/b", {}, deadline=ample())
        assert [request.headers["api-key"] for request in server.requests] == [API_KEY, API_KEY]

    def test_it_asks_for_uncompressed_json(self, server: ScriptedServer, connect: Connect) -> None:
        connect(server.url).post("/a", None, deadline=ample())
        assert server.requests[0].headers["accept"] == "application/json"
        assert server.requests[0].headers["accept-encoding"] == "identity"

    def test_path_of_the_address_is_kept(self, server: ScriptedServer, connect: Connect) -> None:
        connect(server.url + "/prefix").post("/api/chat", None, deadline=ample())
        assert server.requests[0].path == "/prefix/api/chat"

    def test_machine_proxies_are_ignored(
        self, server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ScriptedServer() as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            connect(server.url).post("/a", None, deadline=ample())
            assert (len(server.requests), proxy.connections) == (1, 0)

    def test_machine_netrc_is_ignored(
        self,
        server: ScriptedServer,
        connect: Connect,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        netrc = tmp_path_factory.mktemp("home") / "netrc"
        netrc.write_text(f"machine {LOOPBACK} login user password secret\n")
        monkeypatch.setenv("NETRC", str(netrc))
        connect(server.url).post("/a", None, deadline=ample())
        assert "authorization" not in server.requests[0].headers

    def test_cookies_are_not_kept(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply(body=b"{}", headers={"Set-Cookie": "session=of-another; Path=/"}))
        service = connect(server.url)
        call(service)
        call(service)
        assert "cookie" not in server.requests[1].headers


class TestAnswer:
    def test_json_is_decoded(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply.json({"response": "según el índice"}))
        assert call(connect(server.url)) == {"response": "según el índice"}

    @pytest.mark.parametrize("status", [200, 201, 202, 299])
    def test_every_2xx_is_an_answer(self, server: ScriptedServer, connect: Connect, status: int) -> None:
        server.script(Reply(status=status, body=b"[1]"))
        assert call(connect(server.url)) == [1]

    def test_chunks_are_joined(self, connect: Connect) -> None:
        def serve(peer: Peer) -> None:
            peer.read_request()
            peer.send(CHUNKED_HEAD + b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n')

        with RawServer(serve) as server:
            assert call(connect(server.url)) == {"a": 1}

    def test_body_without_a_length_ends_with_the_connection(self, connect: Connect) -> None:
        def serve(peer: Peer) -> None:
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n{}")

        with RawServer(serve) as server:
            assert call(connect(server.url)) == {}

    def test_slow_but_in_time_is_an_answer(self, connect: Connect) -> None:
        def serve(peer: Peer) -> None:
            peer.read_request()
            peer.drip(OK, every_s=0.002)
            peer.hang()

        with RawServer(serve) as server:
            assert call(connect(server.url)) == {}

    def test_exactly_one_mebibyte_is_taken(self, server: ScriptedServer, connect: Connect) -> None:
        text = "x" * (MAX_ANSWER_BYTES - 2)
        server.script(Reply(body=json.dumps(text).encode()))
        assert call(connect(server.url)) == text

    @pytest.mark.parametrize("chunked", [False, True])
    def test_one_byte_more_is_refused(self, connect: Connect, *, chunked: bool) -> None:
        body = b'"' + b"x" * (MAX_ANSWER_BYTES - 1) + b'"'

        def serve(peer: Peer) -> None:
            peer.read_request()
            framed = CHUNKED_HEAD + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            peer.send(framed if chunked else head(length=len(body)) + body)

        with RawServer(serve) as server, pytest.raises(UpstreamBadAnswer, match="too large"):
            call(connect(server.url))

    def test_endless_body_is_refused_without_reading_it(self, connect: Connect) -> None:
        def serve(peer: Peer) -> None:
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:  # ends when the client goes
                peer.send(b" " * 65536)

        with RawServer(serve) as server, pytest.raises(UpstreamBadAnswer, match="too large"):
            call(connect(server.url))

    def test_gzip_is_not_unpacked(self, server: ScriptedServer, connect: Connect) -> None:
        bomb = gzip.compress(b" " * 50 * MAX_ANSWER_BYTES + b"{}")
        assert len(bomb) < MAX_ANSWER_BYTES
        server.script(Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
        with pytest.raises(UpstreamBadAnswer, match="not JSON"):
            call(connect(server.url))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"hola", id="text"),
            pytest.param(b"<!doctype html><title>Bienvenido</title>", id="html"),
            pytest.param(b'{"response": "Ho', id="half"),
            pytest.param(b'{"response": "a"} {}', id="two values"),
            pytest.param(b'{"response": "\xff\xfe"}', id="not UTF-8"),
            pytest.param(b"[" * 500_000, id="deep nesting, open"),
            pytest.param(b"[" * 400_000 + b"]" * 400_000, id="deep nesting"),
            pytest.param(b'{"a":' * 150_000 + b"1" + b"}" * 150_000, id="deep objects"),
            pytest.param(b"9" * 100_000, id="a number of 100,000 digits"),
        ],
    )
    def test_what_is_not_json_is_a_bad_answer(self, server: ScriptedServer, connect: Connect, body: bytes) -> None:
        server.script(Reply(body=body, headers={"Content-Type": "application/json"}))
        with pytest.raises(UpstreamBadAnswer, match="not JSON"):
            call(connect(server.url))

    def test_no_content_is_a_bad_answer_where_json_is_due(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply(status=204))
        with pytest.raises(UpstreamBadAnswer):
            call(connect(server.url))

    def test_no_content_is_fine_where_nothing_is_due(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply(status=204))
        assert connect(server.url).post("/a", {}, deadline=ample()) == b""

    @pytest.mark.parametrize("status", [400, 401, 404, 408, 413, 422, 429, 500, 502, 503, 504])
    def test_error_status_is_told(self, server: ScriptedServer, connect: Connect, status: int) -> None:
        server.script(*[Reply.json({"detail": "..."}, status=status)] * TRIES)
        with pytest.raises(UpstreamRejected) as caught:
            call(connect(server.url))
        assert caught.value.status == status

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(self, server: ScriptedServer, connect: Connect, status: int) -> None:
        with ScriptedServer() as elsewhere:
            server.script(Reply(status=status, headers={"Location": elsewhere.url + "/"}))
            with pytest.raises(UpstreamRejected) as caught:
                call(connect(server.url))
            assert (caught.value.status, elsewhere.connections) == (status, 0)

    @pytest.mark.parametrize("status", [503, 429])
    def test_a_post_that_may_not_be_repeated_is_sent_once(
        self, server: ScriptedServer, connect: Connect, status: int
    ) -> None:
        server.script(Reply(status=status, headers={"Retry-After": "0"}))
        with pytest.raises(UpstreamRejected):
            connect(server.url).post("/a", {}, deadline=ample())
        assert len(server.requests) == 1


def resets(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def closes(peer: Peer) -> None:
    peer.read_request()


def resets_amid_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    peer.reset()


def closes_amid_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")


def closes_amid_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(head(length=100) + b'{"response": "Hola"}')


def closes_amid_chunk(peer: Peer) -> None:
    peer.read_request()
    peer.send(CHUNKED_HEAD + b'50\r\n{"response": "Hola"}')


def closes_before_last_chunk(peer: Peer) -> None:
    peer.read_request()
    peer.send(CHUNKED_HEAD + b'14\r\n{"response": "Hola"}\r\n')


def speaks_another_protocol(peer: Peer) -> None:
    peer.send(b"220 smtp.example ESMTP\r\n")
    peer.read_request()


def sends_endless_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 1000 + b"\r\n")


def sends_nonsense_chunk_size(peer: Peer) -> None:
    peer.read_request()
    peer.send(CHUNKED_HEAD + b"zz\r\n{}\r\n0\r\n\r\n")


class TestBrokenConnection:
    def test_refused_port_is_unreachable(self, connect: Connect) -> None:
        with refusing_port() as port, pytest.raises(UpstreamUnreachable):
            call(connect(f"http://{LOOPBACK}:{port}"))

    @pytest.mark.parametrize(
        "behaviour",
        [
            resets,
            closes,
            resets_amid_headers,
            speaks_another_protocol,
            sends_endless_headers,
            sends_nonsense_chunk_size,
        ],
    )
    def test_broken_answer_is_unreachable(self, connect: Connect, behaviour: Callable[[Peer], None]) -> None:
        with RawServer(behaviour) as server, pytest.raises(UpstreamUnreachable):
            call(connect(server.url))

    def test_half_a_head_is_never_an_answer(self, connect: Connect) -> None:
        with RawServer(closes_amid_headers) as server, pytest.raises(UpstreamError):
            call(connect(server.url))

    @pytest.mark.parametrize("behaviour", [closes_amid_body, closes_amid_chunk, closes_before_last_chunk])
    def test_incomplete_body_is_never_an_answer(self, connect: Connect, behaviour: Callable[[Peer], None]) -> None:
        with RawServer(behaviour) as server, pytest.raises(UpstreamUnreachable):
            connect(server.url).post("/a", {}, deadline=ample())

    def test_a_cut_off_post_that_may_not_be_repeated_is_not(self, connect: Connect) -> None:
        with RawServer(closes) as server:
            with pytest.raises(UpstreamUnreachable):
                connect(server.url).post("/a", {}, deadline=ample())
            assert server.connections == 1

    def test_unknown_certificate_is_unreachable(self, connect: Connect) -> None:
        with RawServer(closes, tls=server_tls(trustme.CA())) as server, pytest.raises(UpstreamUnreachable, match="SSL"):
            call(connect(server.url))


def hangs_before_headers(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def hangs_amid_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    peer.hang()


def hangs_amid_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(head(length=20) + b'{"respo')
    peer.hang()


def hangs_amid_chunks(peer: Peer) -> None:
    peer.read_request()
    peer.send(CHUNKED_HEAD + b'14\r\n{"response": "Hola"}\r\n')
    peer.hang()


def drips_headers(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 1000)


def drips_interim_answers(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 40)


def drips_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(head(length=1000))
    peer.drip(b'"' + b"z" * 998 + b'"')


def drips_chunk_sizes(peer: Peer) -> None:
    peer.read_request()
    peer.send(CHUNKED_HEAD)
    peer.drip(b"1;" + b"z" * 1000)


def drips_trailers(peer: Peer) -> None:
    peer.read_request()
    peer.send(CHUNKED_HEAD + b"2\r\n{}\r\n0\r\n")
    peer.drip(b"X-Slow: " + b"z" * 1000)


SLOW_BEHAVIOURS = [
    hangs_before_headers,
    hangs_amid_headers,
    hangs_amid_body,
    hangs_amid_chunks,
    drips_headers,
    drips_interim_answers,
    drips_body,
    drips_chunk_sizes,
    drips_trailers,
]


def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(context)
    return context


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's TLS whose authority requests trusts for the length of the test."""
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", path)
        yield server_tls(authority)


class TestDeadline:
    @pytest.mark.parametrize("behaviour", SLOW_BEHAVIOURS)
    def test_slow_answer_ends_at_the_deadline(self, connect: Connect, behaviour: Callable[[Peer], None]) -> None:
        with RawServer(behaviour) as server, ends_at_deadline(SHORT_S):
            call(connect(server.url), within_s=SHORT_S)

    @pytest.mark.parametrize("behaviour", [hangs_before_headers, drips_headers, drips_body])
    def test_slow_answer_over_tls_ends_at_the_deadline(
        self, connect: Connect, trusted: ssl.SSLContext, behaviour: Callable[[Peer], None]
    ) -> None:
        with RawServer(behaviour, tls=trusted) as server, ends_at_deadline(SHORT_S):
            call(connect(server.url), within_s=SHORT_S)

    def test_silent_tls_handshake_ends_at_the_deadline(self, connect: Connect) -> None:
        with RawServer(Peer.hang) as server:
            start = time.monotonic()
            with pytest.raises((UpstreamTimeout, UpstreamUnreachable)):
                call(connect(server.url.replace("http:", "https:")), within_s=SHORT_S)
            assert time.monotonic() - start < SHORT_S + LATE_S

    def test_answer_over_tls_arrives(self, connect: Connect, trusted: ssl.SSLContext) -> None:
        def serve(peer: Peer) -> None:
            peer.read_request()
            peer.send(OK)

        with RawServer(serve, tls=trusted) as server:
            assert call(connect(server.url)) == {}

    def test_kept_connection_has_the_deadline_of_each_call(self, connect: Connect) -> None:
        def serve(peer: Peer) -> None:
            peer.read_request()
            peer.send(OK)
            drips_headers(peer)

        with RawServer(serve) as server:
            service = connect(server.url)
            call(service, within_s=AMPLE_S)
            with ends_at_deadline(SHORT_S):
                call(service, within_s=SHORT_S)
            assert server.connections == 1

    def test_nothing_is_sent_when_no_time_is_left(self, server: ScriptedServer, connect: Connect) -> None:
        with pytest.raises(UpstreamTimeout):
            call(connect(server.url), within_s=0)
        assert server.connections == 0

    def test_timed_out_calls_leave_no_thread(self, connect: Connect) -> None:
        with RawServer(hangs_before_headers) as server:
            service = connect(server.url)
            before = set(threading.enumerate())
            for _ in range(3):
                with pytest.raises(UpstreamTimeout):
                    call(service, within_s=0.05)
            own = {thread for thread in threading.enumerate() if "_serve" not in thread.name}
            assert own <= before

    def test_call_after_a_timeout_gets_its_own_answer(self, connect: Connect) -> None:
        def answers_late(peer: Peer) -> None:
            peer.read_request()
            peer.hang()

        def answers(peer: Peer) -> None:
            peer.read_request()
            peer.send(head(length=8) + b'"second"')

        with RawServer(answers_late, answers) as server:
            service = connect(server.url)
            with pytest.raises(UpstreamTimeout):
                call(service, within_s=0.1)
            assert call(service) == "second"


class TestConnections:
    def test_connection_is_used_again(self, server: ScriptedServer, connect: Connect) -> None:
        service = connect(server.url)
        for _ in range(3):
            call(service)
        assert (len(server.requests), server.connections) == (3, 1)

    def test_connection_that_the_service_closed_meanwhile_is_replaced(self, connect: Connect) -> None:
        def answers_once(peer: Peer) -> None:
            peer.read_request()
            peer.send(OK)

        with RawServer(answers_once) as server:
            service = connect(server.url)
            call(service)
            assert server.closed.acquire(timeout=AMPLE_S)
            assert call(service) == {}
            assert server.connections == 2

    def test_unread_rest_of_a_refused_answer_does_not_reach_the_next_call(
        self, server: ScriptedServer, connect: Connect
    ) -> None:
        server.script(Reply.json({"detail": "x" * 100_000}, status=500), Reply.json("second"))
        service = connect(server.url)
        with pytest.raises(UpstreamRejected):
            call(service)
        assert call(service) == "second"

    def test_calls_from_several_threads_do_not_mix(self, server: ScriptedServer, connect: Connect) -> None:
        threads = 16
        service = connect(server.url)
        server.default = lambda request: Reply.json(request.json)
        barrier = threading.Barrier(threads)

        def work(number: int) -> list[object]:
            barrier.wait(AMPLE_S)
            return [
                service.ask("/a", {"n": [number, turn]}, parse=lambda body: body, deadline=ample()) for turn in range(5)
            ]

        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(work, range(threads)))
        assert answers == [[{"n": [number, turn]} for turn in range(5)] for number in range(threads)]
        assert server.connections <= threads

    def test_a_slow_call_does_not_hold_up_the_others(self, server: ScriptedServer, connect: Connect) -> None:
        may_leave = threading.Event()
        server.script(Reply.json("slow", once=may_leave))
        service = connect(server.url)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(call, service)
            server.wait_for_requests(1)
            server.script(Reply.json("quick"))
            assert call(service) == "quick"
            may_leave.set()
            assert slow.result(AMPLE_S) == "slow"


class TestSecrets:
    @pytest.mark.parametrize(
        "behaviour",
        [hangs_before_headers, closes, closes_amid_body, sends_nonsense_chunk_size, speaks_another_protocol],
    )
    def test_no_error_quotes_the_call(self, connect: Connect, behaviour: Callable[[Peer], None]) -> None:
        with RawServer(behaviour) as server, pytest.raises(UpstreamError) as caught:
            call(connect(server.url), within_s=SHORT_S)
        self._check_silent(caught.value, url=server.url)

    def test_no_error_quotes_the_answer(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply(body=f'{{"{PERSONAL_TEXT}'.encode()))
        with pytest.raises(UpstreamError) as caught:
            call(connect(server.url))
        self._check_silent(caught.value, url=server.url)

    def test_key_that_no_header_can_hold_is_not_quoted(self, server: ScriptedServer) -> None:
        service = HttpService("mail", server.url, headers={"api-key": f"{API_KEY}\u2013"})
        with closing(service), pytest.raises(UpstreamError) as caught:
            call(service)
        self._check_silent(caught.value, url=server.url)

    @staticmethod
    def _check_silent(error: UpstreamError, *, url: str) -> None:
        shown = "".join(traceback.format_exception(error)) + repr(error.__dict__)
        values = (API_KEY, PERSONAL_TEXT, url.removeprefix("http://"))
        assert not [value for value in values if value in shown]


class TestRetries:
    @pytest.mark.parametrize("status", sorted(RETRIED_STATUSES))
    def test_an_overloaded_service_is_asked_again(self, server: ScriptedServer, connect: Connect, status: int) -> None:
        server.script(Reply(status=status), Reply(status=status))
        call(connect(server.url))
        assert len(server.requests) == TRIES

    def test_a_reset_connection_is_tried_again(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(CUT)
        call(connect(server.url))
        assert len(server.requests) == 2

    @pytest.mark.parametrize("status", [400, 401, 404, 408, 422, 500, 501])
    def test_another_no_is_taken_for_an_answer(self, server: ScriptedServer, connect: Connect, status: int) -> None:
        server.script(Reply(status=status))
        with pytest.raises(UpstreamRejected):
            call(connect(server.url))
        assert len(server.requests) == 1

    def test_a_wrong_answer_is_not_asked_for_again(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply(body=b"<html>"))
        with pytest.raises(UpstreamBadAnswer):
            call(connect(server.url))
        assert len(server.requests) == 1

    def test_two_more_tries_are_enough(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(*[Reply(status=503)] * (TRIES + 1))
        with pytest.raises(UpstreamRejected):
            call(connect(server.url))
        assert len(server.requests) == TRIES == 3

    def test_retry_after_is_honoured(self, server: ScriptedServer, connect: Connect) -> None:
        server.script(Reply(status=429, headers={"Retry-After": "2"}))
        start = time.monotonic()
        call(connect(server.url))
        assert time.monotonic() - start >= 2

    @pytest.mark.parametrize("wait", ["3600", "Fri, 31 Dec 2999 23:59:59 GMT", "9" * 400])
    def test_a_wait_that_the_deadline_would_not_outlast_is_not_begun(
        self, server: ScriptedServer, connect: Connect, wait: str
    ) -> None:
        server.script(Reply(status=503, headers={"Retry-After": wait}))
        start = time.monotonic()
        with pytest.raises(UpstreamRejected):
            call(connect(server.url))
        assert time.monotonic() - start < LATE_S
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "wait", ["", "soon", "-5", "1.5", "Fri, 99 Nov", "²", f"Fri, 31 Dec {'9' * 22} 23:59:59 GMT"]
    )
    def test_a_wait_that_cannot_be_read_is_ours_to_choose(
        self, server: ScriptedServer, connect: Connect, wait: str
    ) -> None:
        server.script(Reply(status=503, headers={"Retry-After": wait}))
        call(connect(server.url))
        assert len(server.requests) == 2


class TestBreaker:
    def test_a_failing_service_is_given_a_rest(self, server: ScriptedServer, connect: Connect) -> None:
        service = connect(server.url)
        server.script(*[Reply(status=500)] * MIN_CALLS)
        for _ in range(MIN_CALLS):
            with pytest.raises(UpstreamRejected):
                call(service)

        with pytest.raises(UpstreamCircuitOpen):
            call(service)
        assert len(server.requests) == MIN_CALLS

    def test_refused_requests_are_not_the_services_fault(self, server: ScriptedServer, connect: Connect) -> None:
        service = connect(server.url)
        server.script(*[Reply(status=422)] * 2 * MIN_CALLS)
        for _ in range(2 * MIN_CALLS):
            with pytest.raises(UpstreamRejected):
                call(service)

        assert service.breaker.state is BreakerState.CLOSED

    def test_wrong_answers_are(self, server: ScriptedServer, connect: Connect) -> None:
        service = connect(server.url)
        server.script(*[Reply(body=b"<html>")] * MIN_CALLS)
        for _ in range(MIN_CALLS):
            with pytest.raises(UpstreamBadAnswer):
                call(service)

        assert service.breaker.state is BreakerState.OPEN
