"""The bundled nginx, before backends that a test scripts; where there is no nginx, only that its file can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from maverik_backend.connections import ConnectionLimits
from maverik_backend.texts import problems as texts
from maverik_backend.web.event_streams import ui_message_stream
from maverik_backend.web.middleware.body_limit import LARGEST_BYTES
from maverik_backend.web.middleware.security_headers import HEADERS, PRODUCTION_HEADERS
from tests.connections.served import serving
from tests.deployments.nginx import PROGRAM, directives, running_nginx
from tests.support.servers import CUT, Peer, RawServer, Reply, ScriptedServer, refusing_port

HSTS = PRODUCTION_HEADERS["Strict-Transport-Security"]
MAX_HEAD_BYTES = ConnectionLimits().max_head_bytes
# More than the burst, at more than the rate of any machine's clock that a test can wait for.
FLOOD = 600
with_nginx = pytest.mark.skipif(PROGRAM is None, reason="no nginx on this machine")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that nginx's own user may enter, unlike pytest's."""
    with TemporaryDirectory(prefix="maverik-nginx-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_backends_are_looked_up_anew_and_connections_kept() -> None:
    assert directives("server", inside="upstream") == [["backend:8082", "resolve", "max_fails=0"]]
    assert directives("resolver")[0][:2] == ["127.0.0.11", "valid=5s"]
    assert directives("keepalive") == [["64"]]
    assert directives("proxy_http_version") == [["1.1"]] * 2


def test_the_second_fence_stands() -> None:
    buffers, size = directives("large_client_header_buffers")[0]
    assert int(buffers) * int(size.removesuffix("k")) * 1024 == MAX_HEAD_BYTES
    assert directives("limit_conn") == [["connections", "100"]] * 2
    assert directives("limit_req") == [["zone=requests", "burst=200", "nodelay"]] * 2
    assert directives("proxy_max_temp_file_size") == [["0"]]
    for timeout in ("client_header_timeout", "client_body_timeout", "send_timeout", "reset_timedout_connection"):
        assert directives(timeout)


def test_a_websocket_is_given_up_later_than_the_backend_does() -> None:
    silence_s = ConnectionLimits().ping_interval_s + ConnectionLimits().ping_timeout_s
    assert [int(value.removesuffix("s")) > silence_s for (value,) in directives("proxy_read_timeout")] == [True, True]


def test_no_version_is_told() -> None:
    assert directives("server_tokens") == [["off"]]


def test_headers_are_added_in_one_place() -> None:
    assert directives("add_header", inside="location") == [], "one in a location would take those of the server away"


@with_nginx
class TestItsOwnAnswers:
    """They have the headers of every answer of the application; those of the application pass as they are."""

    @pytest.mark.parametrize(
        ("method", "path", "size", "status"),
        [
            ("GET", "/metrics", 0, 404),
            ("POST", "/user/signup", LARGEST_BYTES + 1, 413),
            ("GET", "/user/me", 0, 503),
        ],
    )
    def test_have_the_security_headers(self, folder: Path, method: str, path: str, size: int, status: int) -> None:
        with refusing_port() as gone, running_nginx(folder, gone) as url:
            response = requests.request(method, url + path, data=b" " * size, timeout=60)

        assert response.status_code == status
        assert {name: response.headers.get(name) for name in HEADERS} == HEADERS

    def test_have_them_when_the_head_cannot_be_read(self, folder: Path) -> None:
        with refusing_port() as gone, running_nginx(folder, gone) as url:
            too_large = requests.get(f"{url}/user/me", headers={"a": "a" * MAX_HEAD_BYTES}, timeout=60)
            malformed = requests.get(url, headers={"Content-Length": "no"}, timeout=60)

        assert (too_large.status_code, malformed.status_code) == (431, 400)
        for response in (too_large, malformed):
            assert {name: response.headers.get(name) for name in HEADERS} == HEADERS

    @pytest.mark.parametrize(("scheme", "promised"), [("https", [HSTS]), ("http", []), (None, [])])
    def test_demand_https_where_it_was_spoken(self, folder: Path, scheme: str | None, promised: list[str]) -> None:
        headers = {"X-Forwarded-Proto": scheme} if scheme else {}
        with refusing_port() as gone, running_nginx(folder, gone) as url:
            response = requests.get(f"{url}/user/me", headers=headers, timeout=60)

        assert response.raw.headers.getlist("Strict-Transport-Security") == promised

    def test_leave_those_of_the_application_alone(self, folder: Path) -> None:
        own = {**HEADERS, "Cache-Control": "public, max-age=300", "Retry-After": "7"}
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            backend.script(Reply(status=503, body=b"{}", headers=own))
            response = requests.get(f"{url}/catalogs", headers={"X-Forwarded-Proto": "https"}, timeout=60)

        found = response.raw.headers
        assert {name: found.getlist(name) for name in own} == {name: [value] for name, value in own.items()}
        assert "Strict-Transport-Security" not in found


@with_nginx
class TestRunning:
    def test_the_backend_is_told_the_address_that_the_proxy_saw_last(self, folder: Path) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            requests.get(f"{url}/user/me", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=60)

            (request,) = backend.requests
            assert request.headers["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
            assert request.headers["host"] == url.removeprefix("http://")

    @pytest.mark.parametrize(("method", "tries"), [("POST", 1), ("GET", 2)])
    def test_a_turn_is_never_sent_twice(self, folder: Path, method: str, tries: int) -> None:
        with ScriptedServer() as one, ScriptedServer() as other:
            for backend in (one, other):
                backend.script(CUT)
            with running_nginx(folder, port_of(one), port_of(other)) as url:
                response = requests.request(method, f"{url}/copilot/sessions/1", timeout=60)

            assert len(one.requests) + len(other.requests) == tries
            assert response.status_code == 503

    def test_a_backend_that_is_gone_is_passed_over(self, folder: Path) -> None:
        with ScriptedServer() as alive, refusing_port() as gone, running_nginx(folder, gone, port_of(alive)) as url:
            statuses = {requests.post(f"{url}/user/login", json={}, timeout=60).status_code for _ in range(4)}

        assert statuses == {200}

    def test_without_a_backend_people_get_a_problem_in_their_language(self, folder: Path) -> None:
        with refusing_port() as gone, running_nginx(folder, gone) as url:
            response = requests.get(f"{url}/user/me", timeout=60)

        assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
        assert response.headers["Retry-After"] == "5"
        assert (response.json()["title"], response.json()["detail"]) == said(texts.DATABASE_UNAVAILABLE)

    @pytest.mark.parametrize(("size", "status"), [(LARGEST_BYTES, 200), (LARGEST_BYTES + 1, 413)])
    def test_a_body_is_as_large_as_the_application_takes_it(self, folder: Path, size: int, status: int) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            response = requests.post(f"{url}/user/signup", data=b" " * size, timeout=60)

        assert response.status_code == status
        if status == 413:
            assert (response.json()["title"], response.json()["detail"]) == said(texts.TOO_LARGE)

    def test_a_head_is_as_large_as_the_application_takes_it(self, folder: Path) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            fits = requests.get(f"{url}/user/me", headers={f"a{n}": "a" * 7_000 for n in range(3)}, timeout=60)
            too_large = requests.get(f"{url}/user/me", headers={"a": "a" * MAX_HEAD_BYTES}, timeout=60)

        assert (fits.status_code, too_large.status_code) == (200, 431)
        assert (too_large.json()["title"], too_large.json()["detail"]) == said(texts.HEADERS_TOO_LARGE)
        assert len(backend.requests) == 1

    def test_pieces_of_a_stream_pass_as_they_come(self, folder: Path) -> None:
        def stream(peer: Peer) -> None:
            peer.read_request()
            fields = "".join(f"{name}: {value}\r\n" for name, value in ui_message_stream.HEADERS.items())
            peer.send(f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode())
            peer.send(b"5\r\nuno\n\n\r\n")
            peer.hang()

        with RawServer(stream) as backend, running_nginx(folder, backend.port) as url:
            response = requests.post(f"{url}/copilot/sessions/1", stream=True, timeout=60)

            assert response.raw.read(5) == b"uno\n\n"

    def test_a_websocket_passes_below_its_prefix(self, folder: Path) -> None:
        with serving(websockets=echo) as backend, running_nginx(folder, backend.port) as url:
            address = f"{url.replace('http', 'ws', 1)}/ws/chat/7?token=secreto"
            with connect(address) as client:
                client.send("hola")
                assert client.recv(timeout=60) == "hola"

        (line,) = (folder / "access.log").read_text(encoding="utf-8").splitlines()
        assert (json.loads(line)["status"], json.loads(line)["path"]) == (101, "/ws/chat/7")
        assert "secreto" not in line

    @pytest.mark.parametrize(("path", "passed"), [("/ws/chat/7", "websocket"), ("/copilot/sessions", None)])
    def test_an_upgrade_is_asked_for_nowhere_else(self, folder: Path, path: str, passed: str | None) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            requests.get(url + path, headers={"Upgrade": "websocket", "Connection": "Upgrade"}, timeout=60)

            (request,) = backend.requests
            assert request.headers.get("upgrade") == passed

    def test_a_flood_from_one_address_does_not_reach_the_backend(self, folder: Path) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url, requests.Session() as session:
            answers = [session.get(f"{url}/user/me", timeout=60) for _ in range(FLOOD)]

        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(backend.requests) + len(refused) == FLOOD
        assert refused
        assert (refused[0].json()["title"], refused[0].json()["detail"]) == said(texts.TOO_MANY_TRIES)
        assert refused[0].headers["Retry-After"] == "5"

    def test_the_applications_own_errors_pass_as_they_are(self, folder: Path) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            backend.script(Reply.json({"error": "overloaded"}, status=503))

            assert requests.get(f"{url}/user/me", timeout=60).json() == {"error": "overloaded"}

    def test_metrics_are_not_for_the_world(self, folder: Path) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            assert requests.get(f"{url}/metrics", timeout=60).status_code == 404
            assert backend.requests == []

    def test_the_log_holds_no_query_and_answers_no_version(self, folder: Path) -> None:
        with ScriptedServer() as backend, running_nginx(folder, port_of(backend)) as url:
            response = requests.get(f"{url}/copilot/sessions?before=7", timeout=60)

        (line,) = (folder / "access.log").read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["path"] == "/copilot/sessions"
        assert "before" not in line
        assert response.headers["Server"] == "nginx"


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


def port_of(server: ScriptedServer) -> int:
    return int(server.url.rpartition(":")[2])


def said(text: texts.ProblemText) -> tuple[str, str]:
    return text.title, text.detail
