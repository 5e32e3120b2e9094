"""Whatever is sent, the answer is a refusal that says why: never a 500, never something half done."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from starlette.testclient import TestClient

from maverik_backend.settings import Settings
from tests.support.fixtures.people import TestUser, make_session_body
from tests.support.serving import serving

JSON = {"Content-Type": "application/json"}
LOG_IN = '{"email": "ana@example.com", "clave": "ñandú"}'
HUGE = "9" * 400
PATIENCE_S = 60


def refusal(response: Any) -> int:
    """The status of an answer that is a problem of ours."""
    assert response.headers["content-type"] == "application/problem+json"
    status: int = response.status_code
    assert response.json()["status"] == status
    return status


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"email": "ana@example.com", "clave": "x"',
            b'{"email": "ana@example.com", "clave": "x"} y algo',
            b"{'email': 'ana@example.com', 'clave': 'x'}",
            b'{"email": "ana@example.com", "clave": "\x00"}',
            b'{"email": "ana@example.com", "clave": "\\u0000"}',
            b'{"email": "ana@example.com", "clave": "\\ud800"}',
            b"null",
            b"true",
            b'"texto"',
            b"[]",
            b"1e400",
            b"NaN",
            HUGE.encode(),
            b"[" * 16_000,
            b"[" * 8_000 + b"]" * 8_000,
            b'{"clave":' * 1_600 + b"1" + b"}" * 1_600,
            b'{"email": "ana@example.com", "clave": ' + b"[" * 8_000 + b"]" * 8_000 + b"}",
        ],
        ids=lambda body: f"{body[:24]!r}...{len(body)}",
    )
    def test_malformed_json_is_refused(self, api: TestClient, body: bytes) -> None:
        assert refusal(api.post("/user/login", content=body, headers=JSON)) in {400, 422}

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32"])
    def test_another_encoding_is_refused_or_read_as_what_it_is(self, api: TestClient, encoding: str) -> None:
        # JSON in UTF-16 or UTF-32 is told by its first bytes (RFC 4627, section 3); then it is just a wrong key.
        assert refusal(api.post("/user/login", content=LOG_IN.encode(encoding), headers=JSON)) in {400, 401, 422}

    def test_a_byte_order_mark_does_not_matter(self, api: TestClient) -> None:
        response = api.post("/user/login", content=LOG_IN.encode("utf-8-sig"), headers=JSON)

        assert refusal(response) in {401, 422}

    def test_of_two_equal_names_one_counts(self, api: TestClient) -> None:
        body = b'{"email": "a@example.com", "email": "b@example.com", "clave": "x"}'

        assert refusal(api.post("/user/login", content=body, headers=JSON)) == 401

    @pytest.mark.parametrize("number", ["1e400", "-1e400", HUGE, f"-{HUGE}", "NaN", "Infinity", "-Infinity", "1e-400"])
    @pytest.mark.parametrize("field", ["proposito_sesion_id", "capital_inicial", "horizonte_temporal"])
    def test_a_number_that_no_computer_holds_is_refused(self, user: TestUser, field: str, number: str) -> None:
        body = json.dumps({**make_session_body(), field: "NUMBER"}).replace('"NUMBER"', number)

        response = user.request("POST", "/copilot/sessions", content=body.encode(), headers=JSON)

        if (field, number) == ("capital_inicial", "1e-400"):  # which is how JSON's readers write nothing
            assert response.json()["capital_inicial"] == 0
        else:
            assert refusal(response) == 422


class TestAddresses:
    @pytest.mark.parametrize(
        "some_id", ["0", "01", "-1", "1.0", "1e3", HUGE, str(2**63), "%00", "1%00", "%F1", "%2e%2e", "%D9%A1"]
    )
    @pytest.mark.parametrize(
        "path", ["/copilot/sessions/{}", "/copilot/sessions/{}/info", "/copilot/sessions/1/turns/{}"]
    )
    def test_an_id_that_cannot_exist_does_not_exist(self, user: TestUser, path: str, some_id: str) -> None:
        assert refusal(user.get(path.format(some_id))) == 404

    @pytest.mark.parametrize("value", [HUGE, "-1", "NaN", "%00", "1;drop", "", "1&limit=x"])
    def test_a_page_without_sense_is_refused(self, user: TestUser, value: str) -> None:
        assert refusal(user.get(f"/copilot/sessions?limit={value}")) == 422

    @pytest.mark.parametrize("path", ["/%00", "/user/me%00", "/user/..%2f..%2fetc/passwd", "//user/me", "/%ff"])
    def test_an_odd_path_is_not_found(self, user: TestUser, path: str) -> None:
        assert refusal(user.get(path)) == 404

    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
    @pytest.mark.parametrize("path", ["/", "/catalogs", "/user/me", "/copilot/sessions/1"])
    def test_a_method_that_is_not_taken_is_refused(self, user: TestUser, method: str, path: str) -> None:
        response = user.request(method, path)

        assert response.status_code == 405
        assert response.headers["Allow"]


class TestOnTheWire:
    """What only a real server meets. Bytes in, status line out."""

    @pytest.fixture
    def port(self, own_database: Settings) -> Iterator[int]:
        with serving(own_database) as address:
            yield int(address.rpartition(":")[2])

    @staticmethod
    def talk(port: int, request: bytes) -> bytes:
        """Everything that comes back until the server ends the connection; it may do so at once."""
        received = b""
        with (
            closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) as connection,
            suppress(ConnectionError),  # the server had seen enough
        ):
            connection.sendall(request)
            while part := connection.recv(65_536):
                received += part
        return received

    def status(self, port: int, request: bytes) -> int:
        return int(self.talk(port, request).split(b" ", 2)[1])

    def assert_alive(self, port: int) -> None:
        assert self.status(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == 200

    @pytest.mark.parametrize(
        "headers",
        [
            b"X: " + b"x" * 1_000_000 + b"\r\n",
            b"".join(b"X-%d: x\r\n" % number for number in range(50_000)),
            b"Content-Length: -1\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"Content-Length: 1\r\nContent-Length: 2\r\n",
            b"Content-Length: x\r\n",
            b"Transfer-Encoding: gzip\r\n",
            b"X\x00: y\r\n",
        ],
        ids=["one huge", "many", "negative length", "long length", "two lengths", "no length", "encoding", "nul"],
    )
    def test_odd_headers_are_refused(self, port: int, headers: bytes) -> None:
        head = b"POST /user/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"

        answer = self.talk(port, head + headers + b"\r\n")

        assert answer == b"" or 400 <= int(answer.split(b" ", 2)[1]) < 500
        self.assert_alive(port)

    @pytest.mark.parametrize(
        ("chunks", "status"),
        [
            (b"2\r\n{}\r\n0\r\n\r\n", 422),
            (b"40000\r\n" + b" " * 0x40000 + b"\r\n1\r\n \r\n0\r\n\r\n", 413),
            (b"zz\r\n", 400),
            (b"-1\r\n", 400),
        ],
        ids=["a body", "too much", "no number", "negative"],
    )
    def test_chunks_are_counted(self, port: int, chunks: bytes, status: int) -> None:
        head = (
            b"POST /user/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

        assert self.status(port, head + chunks) == status
        self.assert_alive(port)

    def test_a_body_that_does_not_come_holds_nobody_up(self, port: int) -> None:
        head = b"POST /user/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for _ in range(50)]
        for connection in waiting:
            connection.sendall(head)

        self.assert_alive(port)

        for connection in waiting:
            connection.close()
        self.assert_alive(port)

    def test_what_follows_a_body_is_no_request(self, port: int) -> None:
        smuggled = b"GET /user/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        first = b"POST /user/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

        answer = self.talk(port, first + smuggled)

        assert [int(part.split(b" ", 1)[0]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [422]
