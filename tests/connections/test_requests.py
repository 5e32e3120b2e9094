"""What one request may take of the server: bytes and time of its head and of its body."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from maverik_backend.connections import ConnectionLimits
from maverik_backend.connections.protocol import SLICE_BYTES, Phase
from maverik_backend.texts import problems as texts
from maverik_backend.web.middleware.body_limit import LARGEST_BYTES
from tests.connections.served import GET, PATIENCE_S, Served, answer_on, problem_in, rest_of, serving

SHORT_S = 1.0  # longer than a client on a busy machine needs for its next step
DEFAULTS = ConnectionLimits()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def impatient() -> Iterator[Served]:
    """Everything has to come soon."""
    with serving(head_s=SHORT_S, keep_alive_s=SHORT_S, drain_s=SHORT_S, linger_s=SHORT_S) as served:
        yield served


def send_all(client: socket.socket, data: bytes) -> None:
    """As much as the server takes."""
    with contextlib.suppress(ConnectionError):
        client.sendall(data)


def exchange(served: Served, data: bytes) -> bytes:
    """What comes back for ``data``, until the server closes."""
    with served.connect() as client:
        send_all(client, data)
        return rest_of(client)


def chunked(path: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def uvicorn_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]


ENDLESS_HEADS = {
    "method": b"G" * 300_000,
    "target": b"GET /" + b"a" * 300_000,
    "name of a header": b"GET / HTTP/1.1\r\n" + b"a" * 300_000,
    "value of a header": b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"a" * 300_000,
    "folded value": b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"a\r\n " * 100_000,
    "headers": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000,
    "empty lines": b"\r\n" * 150_000,
}


class TestHead:
    @pytest.mark.parametrize("head", ENDLESS_HEADS.values(), ids=ENDLESS_HEADS)
    def test_one_without_an_end_is_refused_and_the_connection_closed(self, served: Served, head: bytes) -> None:
        status, body = problem_in(exchange(served, head))

        assert (status, body["status"]) in {(431, 431), (400, 400)}
        assert served.app.scopes == []

    def test_too_many_bytes_are_a_431_in_the_language_of_people(self, served: Served) -> None:
        status, body = problem_in(exchange(served, ENDLESS_HEADS["value of a header"]))

        assert (status, body["error"]) == (431, "headers too large")
        assert body["detail"] == texts.HEADERS_TOO_LARGE.detail

    def test_the_answer_arrives_although_the_client_goes_on_sending(self, served: Served) -> None:
        assert problem_in(exchange(served, b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"a" * 20_000_000))[0] == 431

    @pytest.mark.parametrize(("count", "status"), [(DEFAULTS.max_headers, 200), (DEFAULTS.max_headers + 1, 431)])
    def test_headers_are_counted(self, served: Served, count: int, status: int) -> None:
        with served.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * (count - 1) + b"\r\n")

            assert answer_on(client)[9:12] == str(status).encode()

    def test_one_of_the_allowed_size_is_answered_however_it_is_cut(self, served: Served) -> None:
        head = b"GET / HTTP/1.1\r\nHost: x\r\na: "
        head += b"a" * (DEFAULTS.max_head_bytes - len(head) - 4) + b"\r\n\r\n"
        with served.connect() as client:
            for _ in range(3):
                for start in range(0, len(head), 1_000):
                    client.sendall(head[start : start + 1_000])
                assert answer_on(client).startswith(b"HTTP/1.1 200")

    def test_a_later_request_is_bounded_as_the_first(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(GET)
            answer_on(client)
            send_all(client, ENDLESS_HEADS["value of a header"])

            assert problem_in(rest_of(client))[0] == 431

    @pytest.mark.parametrize("begun", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
    def test_one_that_is_not_complete_in_time_is_a_408(self, impatient: Served, begun: bytes) -> None:
        status, body = problem_in(exchange(impatient, begun))

        assert (status, body["error"], body["detail"]) == (408, "request timeout", texts.TOO_SLOW.detail)

    def test_the_first_one_has_its_time_from_connecting(self) -> None:
        with serving(head_s=600) as served, served.connect() as client:
            served.wait_until(lambda: len(served.table) == 1)
            (connection,) = served.table._open  # noqa: SLF001 - time travel
            connected = served.loop.time()
            served.wait_until(lambda: served.loop.time() > connected)
            client.sendall(b"GET / HT")
            served.wait_until(lambda: connection._phase is Phase.HEAD)  # type: ignore[attr-defined] # noqa: SLF001 - the same
            served.loop.call_soon_threadsafe(connection.check, connected + 600)

            assert problem_in(rest_of(client))[0] == 408

    def test_a_trickle_of_bytes_buys_no_time(self, impatient: Served) -> None:
        with impatient.connect() as client:
            client.sendall(b"GET /")
            client.settimeout(0.05)
            received = b""
            while not received:
                send_all(client, b"a")
                with contextlib.suppress(TimeoutError):
                    received = client.recv(65_536)

            assert received.startswith(b"HTTP/1.1 408")

    def test_what_is_no_http_is_a_problem_too(self, served: Served) -> None:
        status, body = problem_in(exchange(served, b"\x16\x03\x01\x02\x00 hello\r\n\r\n"))

        assert (status, body["error"]) == (400, "malformed request")

    def test_malformed_ones_are_counted_and_no_line_in_the_log_each(
        self, served: Served, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(5):
            exchange(served, b"no http\r\n\r\n")
            exchange(served, GET * 2)
            exchange(served, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * (DEFAULTS.max_headers + 2))
        for reason in ("malformed", "pipelined", "head_too_large"):
            served.wait_for_cut(reason, count=5)

        assert uvicorn_lines(caplog) == []

    def test_what_the_application_did_wrong_is_one(self, served: Served, caplog: pytest.LogCaptureFixture) -> None:
        with served.connect() as client:
            client.sendall(GET.replace(b"/", b"/broken", 1))
            assert answer_on(client).startswith(b"HTTP/1.1 500")

        assert uvicorn_lines(caplog) == ["Exception in ASGI application\n"]


class TestBody:
    @pytest.mark.parametrize(
        "endless",
        [
            b"1;" + b"a" * 5_000_000,
            b"1\r\na\r\n" * 800_000,
            b"0" * 5_000_000,
            b"0\r\n" + b"a: b\r\n" * 800_000,
            b"0\r\na: " + b"b" * 5_000_000,
        ],
        ids=["chunk extension", "chunks", "chunk size", "trailers", "trailer"],
    )
    def test_its_framing_is_bounded(self, served: Served, endless: bytes) -> None:
        refused = exchange(served, chunked("/") + endless)

        assert problem_in(refused)[0] in {400, 413}
        assert served.app.bodies == []
        assert served.app.disconnected.wait(PATIENCE_S)

    @pytest.mark.parametrize("unit", [b"1\r\na\r\n", b"0\r\n" + b"a: b\r\n" * 1_000], ids=["chunks", "trailers"])
    def test_its_framing_is_bounded_after_the_answer_as_well(self, served: Served, unit: bytes) -> None:
        with served.connect() as client:
            client.sendall(chunked("/early"))
            assert answer_on(client).endswith(b"early")
            send_all(client, unit * 10_000)

            assert rest_of(client) == b""
        served.wait_for_cut("body_too_large")

    def test_small_chunks_are_read_as_far_as_their_framing_goes(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(chunked("/") + b"1\r\na\r\n" * 500 + b"0\r\n\r\n")

            assert answer_on(client).endswith(b"\r\n\r\n" + b"a" * 500)

    def test_chunks_of_a_usual_size_are_read_to_the_largest_body(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(chunked("/") + b"80\r\n%b\r\n" % (b"a" * 128) * (LARGEST_BYTES // 128) + b"0\r\n\r\n")

            assert answer_on(client).endswith(b"\r\n\r\n" + b"a" * LARGEST_BYTES)

    @pytest.mark.parametrize(("count", "status"), [(DEFAULTS.max_headers, b"200"), (DEFAULTS.max_headers + 1, b"413")])
    def test_trailers_are_counted(self, served: Served, count: int, status: bytes) -> None:
        with served.connect() as client:
            client.sendall(chunked("/") + b"0\r\n" + b"a:b\r\n" * count + b"\r\n")

            assert answer_on(client)[9:12] == status

    def test_trailers_are_not_taken_for_headers(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(
                b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"4\r\nhola\r\n0\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
            )

            assert answer_on(client).endswith(b"\r\n\r\nhola")
        assert b"x-forwarded-for" not in dict(served.app.scopes[0]["headers"])

    def test_one_that_goes_on_after_the_answer_is_read_for_a_while_only(self, impatient: Served) -> None:
        with impatient.connect() as client:
            client.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nbegun")

            assert answer_on(client).endswith(b"early")
            assert rest_of(client) == b""

    def test_so_much_of_it_is_read_and_no_more(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            assert answer_on(client).endswith(b"early")
            send_all(client, b"x" * (DEFAULTS.max_drained_bytes + SLICE_BYTES))

            assert rest_of(client) == b""
        served.wait_for_cut("body_too_large")

    def test_after_one_that_was_read_late_the_connection_goes_on(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
            assert answer_on(client).endswith(b"early")
            client.sendall(b"0123456789" + GET)

            assert answer_on(client).startswith(b"HTTP/1.1 200")


class TestBetweenRequests:
    def test_a_connection_that_says_nothing_is_closed(self, impatient: Served) -> None:
        assert exchange(impatient, b"") == b""

    def test_so_is_one_that_was_answered(self, impatient: Served) -> None:
        with impatient.connect() as client:
            client.sendall(GET)
            answer_on(client)

            assert rest_of(client) == b""

    def test_a_request_under_way_may_take_as_long_as_it_likes(self, impatient: Served) -> None:
        with impatient.connect() as patient:
            patient.sendall(GET.replace(b"/", b"/later", 1))
            for _ in range(3):
                exchange(impatient, b"")
            impatient.release()

            assert answer_on(patient).startswith(b"HTTP/1.1 200")

    def test_several_requests_come_one_after_the_other(self, served: Served) -> None:
        with served.connect() as client:
            for number in range(20):
                body = str(number).encode()
                client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                assert answer_on(client).endswith(b"\r\n\r\n" + body)


class TestWaysAround:
    def test_a_request_before_the_answer_to_another_is_not_worked_on(self, served: Served) -> None:
        answer = exchange(served, GET * 10_000)

        assert answer.count(b"HTTP/1.1 200") == len(served.app.scopes) == 1
        assert b"connection: close" in answer
        served.wait_for_cut("pipelined")

    def test_one_that_comes_while_the_answer_is_made_is_not_either(self, served: Served) -> None:
        with served.connect() as client:
            client.sendall(GET.replace(b"/", b"/later", 1))
            served.wait_until(lambda: served.app.scopes)
            client.sendall(b"POST / HTTP/1.1\r\na: " + b"a" * 100_000)
            served.release()

            assert rest_of(client).count(b"HTTP/1.1 200") == 1

    @pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
    def test_an_upgrade_is_answered_over_http_and_ends_the_connection(self, served: Served, protocol: bytes) -> None:
        head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"

        answer = exchange(served, head + b"\x00" * 1_000_000)

        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer

    @pytest.mark.parametrize(
        "body", [b"Content-Length: 4\r\n\r\nhola", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhola\r\n0\r\n\r\n"]
    )
    @pytest.mark.parametrize("cut", [0, 3])
    def test_the_body_of_an_upgrade_is_read(self, served: Served, body: bytes, cut: int) -> None:
        """As ``curl --http2 -d hola`` sends it."""
        request = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" + body
        with served.connect() as client:
            for _ in range(2):
                client.sendall(request[: len(request) - cut])
                served.wait_until(lambda: served.app.scopes)
                client.sendall(request[len(request) - cut :])
                assert answer_on(client).endswith(b"\r\n\r\nhola")
                served.app.scopes.clear()

        assert served.app.bodies == [b"hola"] * 2

    def test_what_follows_the_body_of_an_upgrade_is_not_worked_on(self, served: Served) -> None:
        upgrade = GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\na")

        assert exchange(served, upgrade + GET).count(b"HTTP/1.1 200") == len(served.app.scopes) == 1
        assert served.app.bodies == [b"a"]

    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
            b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
            b"GET / HTTP/1.1\r\nHost: a/b\r\n",
        ],
    )
    def test_a_request_without_one_host_is_a_400(self, served: Served, head: bytes) -> None:
        assert problem_in(exchange(served, head + b"\r\n"))[0] == 400
        assert served.app.scopes == []

    @pytest.mark.parametrize(
        "head", [b"GET / HTTP/1.0\r\n", b"GET / HTTP/1.1\r\nHost:\r\n", b"GET / HTTP/1.1\r\nHost: [::1]:8\r\n"]
    )
    def test_hosts_that_are_allowed(self, served: Served, head: bytes) -> None:
        with served.connect() as client:
            client.sendall(head + b"\r\n")
            assert answer_on(client).startswith(b"HTTP/1.1 200")

    def test_an_upgrade_needs_a_head_of_the_allowed_size(self, served: Served) -> None:
        head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\na: " + b"a" * 300_000

        assert problem_in(exchange(served, head))[0] == 431
