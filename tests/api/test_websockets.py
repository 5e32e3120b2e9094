"""What every WebSocket of the application has, whichever surface it is of: routes of these tests, on a real port."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from maverik_backend.core.principal import Principal, PrincipalKind
from maverik_backend.errors import DatabaseUnavailable, NotAuthenticated, OperatorsOnly
from maverik_backend.web.middleware.security_headers import HEADERS
from maverik_backend.web.resources import resources_of
from maverik_backend.web.websockets import takes_websocket
from tests.support.fixtures.application import MakeApp
from tests.support.log_lines import Lines
from tests.support.scrape import value
from tests.support.serving import serving

PATIENCE_S = 60.0
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
ERRORS = {"unauthenticated": NotAuthenticated, "forbidden": OperatorsOnly, "unavailable": DatabaseUnavailable}
HANDSHAKE = (
    "GET /ws/hesitant HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
router = APIRouter(prefix="/ws")


@router.websocket("/chat/{session_id}")
async def chat(socket: WebSocket, session_id: int, early: str = "", late: str = "") -> None:
    """Repeats what it is told; fails or ends as the query says, before it accepts or afterwards."""
    socket.state.principal = Principal(kind=PrincipalKind.PERSON, id=session_id)
    await _behave(socket, early)
    await socket.accept()
    await _behave(socket, late)
    while True:
        await socket.send_text(await socket.receive_text())


async def _behave(socket: WebSocket, how: str) -> None:
    if how in ERRORS:
        raise ERRORS[how](*(["x"] if how == "unavailable" else []))
    if how == "bug":
        raise RuntimeError("privado")
    if how == "close":
        await socket.close(4401)
        await socket.receive()


@router.websocket("/short")
async def short(socket: WebSocket, *, accepts: bool = True) -> None:
    if accepts:
        await socket.accept()


@router.websocket("/hesitant")
async def hesitant(socket: WebSocket) -> None:
    """Accepts once the client has left."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    await socket.accept()


class Served:
    """The application with these routes, and what it counted and logged."""

    def __init__(self, app: FastAPI, url: str, lines: Lines) -> None:
        self._metrics = resources_of(app).metrics
        self._url = url.replace("http", "ws", 1)
        self.address = ("127.0.0.1", int(url.rpartition(":")[2]))
        self.lines = lines

    @contextmanager
    def open(self, path: str = "/ws/chat/7", **options: Any) -> Iterator[ClientConnection]:
        with connect(self._url + path, **options) as client:
            yield client

    def refusal(self, path: str = "/ws/chat/7", **options: Any) -> tuple[int, dict[str, str], bytes]:
        with pytest.raises(InvalidStatus) as caught, self.open(path, **options):
            pass
        response = caught.value.response
        headers = {name.lower(): text for name, text in response.headers.raw_items()}
        return response.status_code, headers, bytes(response.body)

    def line(self) -> dict[str, Any]:
        """The one of the only WebSocket, which comes after its end."""
        assert self.lines.arrived("websocket", timeout_s=PATIENCE_S)
        (line,) = self.lines.of("websocket")
        return line

    def counted(self, name: str, **labels: str) -> float | None:
        return value(self._metrics.render().decode(), name, **labels)


@pytest.fixture
def app(make_app: MakeApp) -> FastAPI:
    app = make_app()
    app.include_router(router)
    return app


@pytest.fixture
def served(app: FastAPI, lines: Lines) -> Iterator[Served]:
    with serving(app) as url:
        yield Served(app, url, lines)


def close_code_of(client: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        client.recv(timeout=PATIENCE_S)
    assert caught.value.rcvd
    return caught.value.rcvd.code


class TestIds:
    def test_the_request_id_is_returned_by_the_handshake(self, served: Served) -> None:
        with served.open(additional_headers={"X-Request-ID": "abc-12345"}) as client:
            assert client.response
            assert client.response.headers.get_all("X-Request-ID") == ["abc-12345"]

    def test_without_one_it_is_made(self, served: Served) -> None:
        with served.open(additional_headers={"X-Request-ID": "no \t"}) as client:
            assert client.response
            assert re.fullmatch("[0-9a-f]{32}", client.response.headers["X-Request-ID"])

    def test_its_trace_goes_on(self, served: Served) -> None:
        with served.open(additional_headers={"traceparent": PARENT}):
            pass

        assert served.line()["trace_id"] == TRACE_ID


class TestLine:
    def test_it_comes_at_the_end_and_says_who_where_and_how(self, served: Served) -> None:
        with served.open("/ws/chat/7?token=secreto", additional_headers={"X-Request-ID": "abc-12345"}) as client:
            client.send("privado")
            assert client.recv(timeout=PATIENCE_S) == "privado"
            assert served.lines.of("websocket") == []
            assert served.counted("maverik_websockets") == 1
            client.close(4000)

        line = served.line()
        assert line.pop("duration_ms") > 0
        assert re.fullmatch("[0-9a-f]{32}", line.pop("trace_id"))
        assert {name: line[name] for name in line if name != "level"} == {
            "event": "websocket",
            "route": "/ws/chat/{session_id}",
            "status": 101,
            "close_code": 4000,
            "user_id": 7,
            "principal_kind": "persona",
            "principal_id": 7,
            "session_id": 7,
            "request_id": "abc-12345",
        }
        assert "secreto" not in str(served.lines.all)
        assert "privado" not in str(served.lines.all)

    @pytest.mark.parametrize(("code", "label"), [(1000, "1000"), (4000, "other")])
    def test_its_duration_counts_by_close_code(self, served: Served, code: int, label: str) -> None:
        with served.open() as client:
            client.close(code)
        served.line()

        assert served.counted("maverik_websocket_duration_seconds_count", close=label) == 1
        assert served.counted("maverik_websockets") == 0
        assert served.counted("maverik_http_request_duration_seconds_count", status="101") == 1

    def test_a_client_that_vanishes_is_a_1006(self, served: Served) -> None:
        with served.open() as client:
            client.send("hola")
            assert client.recv(timeout=PATIENCE_S) == "hola"
            client.socket.shutdown(2)

            assert served.line()["close_code"] == 1006

    def test_a_refused_one_is_told_with_its_status(self, served: Served) -> None:
        served.refusal("/ws/chat/7?early=close")

        line = served.line()
        assert (line["status"], line["close_code"], line["route"]) == (403, None, "/ws/chat/{session_id}")
        assert served.counted("maverik_http_request_duration_seconds_count", status="403") == 1
        assert served.counted("maverik_websocket_duration_seconds_count") is None

    def test_a_client_that_leaves_before_the_answer_is_no_failure_of_ours(self, served: Served) -> None:
        with socket.create_connection(served.address, timeout=PATIENCE_S) as client:
            client.sendall(HANDSHAKE.encode())

        line = served.line()
        assert (line["status"], line["close_code"]) == (499, None)
        assert served.lines.of("unexpected_error") == []


class TestOrigin:
    @pytest.mark.parametrize("origin", [None, "https://app.example.com", "https://OTRO.example.com"])
    def test_pages_of_the_frontend_and_programs_may_connect(self, served: Served, origin: Any) -> None:
        with served.open(origin=origin) as client:
            client.send("hola")
            assert client.recv(timeout=PATIENCE_S) == "hola"

    def test_our_own_pages_may(self, served: Served, app: FastAPI) -> None:
        with served.open(origin=resources_of(app).settings.app.origin):
            pass

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example.com",
            "https://app.example.com.evil.example",
            "null",
            "http://app.example.com",
            "",
        ],
    )
    def test_other_pages_may_not(self, served: Served, origin: str) -> None:
        status, headers, body = served.refusal(additional_headers={"Origin": origin})

        assert (status, headers["content-type"]) == (403, "application/problem+json")
        assert b'"status":403' in body
        assert served.line()["principal_id"] is None

    def test_a_handshake_that_names_several_is_malformed(self, served: Served) -> None:
        names = [("Origin", "https://app.example.com"), ("Origin", "https://evil.example.com")]

        assert served.refusal(additional_headers=names)[0] == 400


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/ws/chat/7?early=close", 403),
            ("/ws/chat/7?early=unauthenticated", 401),
            ("/ws/chat/7?early=forbidden", 403),
            ("/ws/chat/7?early=unavailable", 503),
            ("/ws/chat/7?early=bug", 500),
            ("/ws/chat/no-number", 404),
            ("/ws/short?accepts=quizás", 422),
            ("/ws/short?accepts=false", 500),
            ("/ws/nowhere", 404),
        ],
    )
    def test_are_problems_with_the_headers_of_every_answer(self, served: Served, path: str, status: int) -> None:
        found, headers, body = served.refusal(path)

        assert (found, headers["content-type"]) == (status, "application/problem+json")
        assert b"privado" not in body
        assert {name: headers.get(name.lower()) for name in HEADERS} == HEADERS
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


class TestEnds:
    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/ws/chat/7?late=close", 4401),
            ("/ws/chat/7?late=unauthenticated", 1008),
            ("/ws/chat/7?late=forbidden", 1008),
            ("/ws/chat/7?late=unavailable", 1013),
            ("/ws/chat/7?late=bug", 1011),
            ("/ws/short", 1000),
        ],
    )
    def test_what_ends_a_route_is_a_close_code(self, served: Served, path: str, code: int) -> None:
        with served.open(path) as client:
            assert close_code_of(client) == code

        assert served.line()["close_code"] == code

    def test_an_unexpected_error_is_logged_once(self, served: Served) -> None:
        with served.open("/ws/chat/7?late=bug") as client:
            close_code_of(client)
        served.line()

        (line,) = served.lines.of("unexpected_error")
        assert line["kind"] == "RuntimeError"

    def test_a_client_that_leaves_is_none(self, served: Served) -> None:
        with served.open():
            pass

        assert served.line()["close_code"] == 1000
        assert served.lines.of("unexpected_error") == []


class TestLimits:
    def test_handshakes_count_as_requests_of_their_address(self, make_app: MakeApp, lines: Lines) -> None:
        app = make_app(rate_limit_requests_per_minute=2)
        app.include_router(router)
        with serving(app) as url:
            served = Served(app, url, lines)
            for _ in range(2):
                with served.open():
                    pass
            status, headers, _ = served.refusal()

        assert status == 429
        assert int(headers["retry-after"]) > 0


class TestShutdown:
    def test_closes_with_1012_and_the_line_is_written(self, app: FastAPI, lines: Lines) -> None:
        talked = threading.Event()

        def stay(served: Served) -> int:
            with served.open() as client:
                client.send("hola")
                assert client.recv(timeout=PATIENCE_S) == "hola"
                talked.set()
                return close_code_of(client)

        with ThreadPoolExecutor(1) as thread:
            with serving(app) as url:
                code = thread.submit(stay, Served(app, url, lines))
                assert talked.wait(PATIENCE_S)
            assert code.result(PATIENCE_S) == 1012

        assert [line["close_code"] for line in lines.of("websocket")] == [1012]


def test_no_route_of_today_takes_an_upgrade(make_app: MakeApp) -> None:
    app = make_app()
    paths = list(app.openapi()["paths"])
    assert paths
    assert [path for path in paths if takes_websocket(app, path)] == []

    app.include_router(router)
    assert takes_websocket(app, "/ws/chat/7")
    assert not takes_websocket(app, "/ws/chat")
