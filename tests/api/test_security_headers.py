"""What browsers are told, on whatever answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

import pytest
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.registry import Clients
from maverik_backend.connections import BoundedProtocol
from maverik_backend.core.database import Database
from maverik_backend.server import Server
from maverik_backend.settings import AppEnv, Settings
from maverik_backend.web.middleware.security_headers import HEADERS
from tests.support.fixtures.application import MakeApp, ScriptedAdvisor
from tests.support.fixtures.people import TestUser

PREFLIGHT = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", b"", {}, 200),
        ("GET", "/openapi.json", b"", {}, 200),
        ("GET", "/user/me", b"", {}, 401),
        ("GET", "/nada", b"", {}, 404),
        ("PUT", "/catalogs", b"", {}, 405),
        ("POST", "/user/login", b"x" * 300_000, {}, 413),
        ("POST", "/user/login", b"x", {"Content-Type": "text/plain"}, 415),
        ("POST", "/user/login", b"{", {"Content-Type": "application/json"}, 422),
        ("OPTIONS", "/user/login", b"", PREFLIGHT, 200),
    ],
)
def test_every_answer_has_them(
    api: TestClient, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = api.request(method, path, content=body, headers=headers)

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_a_refusal_for_too_many_requests_has_them(make_app: MakeApp) -> None:
    api = TestClient(make_app(rate_limit_requests_per_minute=1))
    api.get("/catalogs")

    response = api.get("/catalogs")

    assert response.status_code == 429
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_an_unexpected_failure_has_them(user: TestUser, advisor: ScriptedAdvisor) -> None:
    advisor.queue.append(RuntimeError("a defect"))

    response = user.post(f"/copilot/sessions/{user.open_session()['id']}", {"input": "hola"})

    assert response.status_code == 500
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_the_catalogues_may_be_kept(api: TestClient) -> None:
    first = api.get("/catalogs")
    unchanged = api.get("/catalogs", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == unchanged.headers["Cache-Control"] == "public, max-age=300"


class TestHttps:
    @pytest.fixture
    def promised_in(self, settings: Settings, clients: Clients, database: Database) -> Callable[[AppEnv], bool]:
        def is_promised(env: AppEnv) -> bool:
            changed = settings.model_copy(update={"app": settings.app.model_copy(update={"app_env": env})})
            answer = TestClient(create_app(changed, clients=clients, database=database)).get("/nada")
            return answer.headers.get("Strict-Transport-Security") == "max-age=63072000; includeSubDomains"

        return is_promised

    def test_only_production_demands_it_from_then_on(self, promised_in: Callable[[AppEnv], bool]) -> None:
        assert [env for env in AppEnv if promised_in(env)] == [AppEnv.PROD]

    @pytest.mark.parametrize("env", AppEnv)
    def test_so_do_refusals_below_the_application(
        self, settings: Settings, clients: Clients, database: Database, env: AppEnv
    ) -> None:
        changed = settings.model_copy(update={"app": settings.app.model_copy(update={"app_env": env})})

        server = Server(create_app(changed, clients=clients, database=database), host="127.0.0.1", port=0)

        refusals = cast("partial[BoundedProtocol]", server.config.http).keywords["refusals"].values()
        assert {b"strict-transport-security: max-age=63072000; includeSubDomains" in one for one in refusals} == {
            env is AppEnv.PROD
        }
