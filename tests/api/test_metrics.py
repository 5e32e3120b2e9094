"""``GET /metrics``: who may read it, and what it counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from starlette.testclient import TestClient

from maverik_backend.core.database import Database
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import UpstreamTimeout
from maverik_backend.settings import Settings
from maverik_backend.web.resources import Resources
from tests.support.fixtures.application import MakeApp, ScriptedAdvisor
from tests.support.fixtures.database import connected
from tests.support.fixtures.people import TestUser, make_profile
from tests.support.scrape import samples, value
from tests.support.streams import EVENTS

TOKEN = "una-clave-de-metricas-8Qz"
REQUESTS = "maverik_http_request_duration_seconds_count"


@pytest.fixture
def app(make_app: MakeApp) -> FastAPI:
    return make_app(metrics_token=SecretStr(TOKEN))


def read(api: TestClient, token: str = TOKEN) -> Any:
    return api.get("/metrics", headers={"Authorization": f"Bearer {token}"})


class TestWhoMayRead:
    def test_without_a_token_in_the_settings_there_is_no_such_route(self, make_app: MakeApp) -> None:
        api = TestClient(make_app())

        assert [read(api).status_code, api.get("/metrics").status_code] == [404, 404]

    def test_who_has_the_token_may(self, api: TestClient) -> None:
        response = read(api)

        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain; version=")

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": TOKEN},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": f"Bearer {TOKEN[:-1]}"},
            {"Authorization": "Bearer ñ".encode("latin-1")},
        ],
        ids=range(7),
    )
    def test_no_other_request_may(self, api: TestClient, headers: dict[str, Any]) -> None:
        response = api.get("/metrics", headers=headers)

        assert (response.status_code, response.json()["error"]) == (401, "not authenticated")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_people_may_not(self, user: TestUser) -> None:
        assert user.get("/metrics").status_code == 401

    def test_the_token_opens_nothing_else(self, api: TestClient) -> None:
        assert api.get("/user/me", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401

    def test_clients_are_not_told_of_it(self, app: FastAPI) -> None:
        assert "/metrics" not in app.openapi()["paths"]


class TestRequests:
    def test_they_are_counted_by_the_template_of_their_route(self, user: TestUser, api: TestClient) -> None:
        for _ in range(2):
            user.get(f"/copilot/sessions/{user.open_session()['id']}")

        counted = {"method": "GET", "route": "/copilot/sessions/{session_id}", "status": "200"}
        assert value(read(api).text, REQUESTS, **counted) == 2

    def test_unknown_paths_are_one_label(self, api: TestClient) -> None:
        for path in ("/nada", "/user/nada", "/mi/secreto"):
            api.get(path)

        page = read(api).text
        assert value(page, REQUESTS, route="unmatched", status="404") == 3
        assert "nada" not in page

    def test_unknown_methods_are_one_label(self, api: TestClient) -> None:
        for method in ("INVENTADO", "OTRO"):
            api.request(method, "/catalogs")

        assert value(read(api).text, REQUESTS, method="other", status="405") == 2

    def test_no_label_names_a_person(self, user: TestUser, api: TestClient) -> None:
        user.say(user.open_session(), "mi secreto")

        labels = {name: value for sample in samples(read(api).text) for name, value in sample.labels.items()}
        assert labels.keys() == {
            *("method", "route", "status", "le", "state", "origin", "service", "kind", "outcome", "dependency")
        } - {"service"}  # this application's services are scripted


class TestStreams:
    def test_they_are_counted_by_how_they_ended(self, user: TestUser, api: TestClient) -> None:
        user.post(f"/copilot/sessions/{user.open_session()['id']}", {"input": "hola"}, headers=EVENTS)

        assert value(read(api).text, "maverik_stream_duration_seconds_count", end="complete") == 1


class TestTurns:
    def test_they_are_counted_by_state_and_origin(
        self, user: TestUser, api: TestClient, advisor: ScriptedAdvisor
    ) -> None:
        session = user.open_session()
        user.say(session, "hola")
        advisor.queue.append(UpstreamTimeout("rag"))
        user.say(session, "¿seguís ahí?")

        page = read(api).text
        assert value(page, "maverik_turns_total", state="completada", origin="rag") == 1
        assert value(page, "maverik_turns_total", state="respaldo", origin="respaldo") == 1


class TestLogins:
    def test_they_are_counted_by_outcome(self, user: TestUser, api: TestClient) -> None:
        statuses = [api.post("/user/login", json={"email": user.email, "clave": "otra"}).status_code for _ in range(25)]

        page = read(api).text
        assert value(page, "maverik_logins_total", outcome="success") == 1
        assert value(page, "maverik_logins_total", outcome="wrong_credentials") == statuses.count(401) > 0
        assert value(page, "maverik_logins_total", outcome="too_many_tries") == statuses.count(429) > 0


class TestHealth:
    def test_it_is_what_the_health_page_says(self, api: TestClient, advisor: ScriptedAdvisor) -> None:
        advisor.failure = UpstreamTimeout("rag")

        page = read(api).text

        found = {name: value(page, "maverik_dependency_healthy", dependency=name) for name in ("database", "rag")}
        assert found == {"database": 1, "rag": 0}

    def test_jobs_that_wait_are_counted_by_kind(self, api: TestClient) -> None:
        api.post("/user/signup", json=make_profile())

        page = read(api).text
        assert value(page, "maverik_jobs", kind="correo", state="pendiente") == 1
        assert value(page, "maverik_jobs", kind="correo", state="fallido") == 0
        assert value(page, "maverik_jobs_oldest_waiting_seconds", kind="correo") is not None

    def test_it_can_be_read_without_the_database(self, detached_api: TestClient) -> None:
        page = read(detached_api).text

        assert value(page, "maverik_dependency_healthy", dependency="database") == 0
        for name in ("maverik_jobs", "maverik_jobs_oldest_waiting_seconds"):
            assert math.isnan(next(sample.value for sample in samples(page) if sample.name == name))


class TestPool:
    @pytest.fixture
    def metrics(self) -> Metrics:
        return Metrics()

    @pytest.fixture
    def pooled(self, own_database: Settings, metrics: Metrics) -> Iterator[Database]:
        with connected(own_database) as database:
            database.report_to(metrics)
            yield database

    def in_use(self, metrics: Metrics) -> float | None:
        return value(metrics.render().decode(), "maverik_database_pool_in_use")

    def test_its_size_is_told(self, pooled: Database, metrics: Metrics, own_database: Settings) -> None:
        del pooled
        size = value(metrics.render().decode(), "maverik_database_pool_size")

        assert size == own_database.database.pool_size

    def test_connections_count_while_they_work(self, pooled: Database, metrics: Metrics) -> None:
        with pooled.transaction() as one, pooled.transaction() as other:
            assert one.scalar(text("SELECT 1")) == other.scalar(text("SELECT 1"))
            assert self.in_use(metrics) == 2

        assert self.in_use(metrics) == 0

    def test_one_that_was_cut_while_it_rested_is_counted_once(self, pooled: Database, metrics: Metrics) -> None:
        with pooled.transaction() as one:
            one.execute(text("SELECT 1"))
            with pooled.transaction() as other:
                pid = other.scalar(text("SELECT pg_backend_pid()"))
            one.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})

        with pooled.transaction() as one, pooled.transaction() as other:
            assert one.scalar(text("SELECT 1")) == other.scalar(text("SELECT 1"))
            assert self.in_use(metrics) == 2
        assert self.in_use(metrics) == 0


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from maverik_backend.errors import SettingsError
    from maverik_backend.settings import load_config

    monkeypatch.setenv("METRICS_TOKEN", "x" * 15)

    with pytest.raises(SettingsError, match=r"METRICS_TOKEN cannot be used: it must have at least 16 characters\."):
        load_config(None)


def test_each_application_counts_for_itself(api: TestClient, resources: Resources, make_app: MakeApp) -> None:
    del resources
    api.get("/catalogs")
    other = TestClient(make_app(metrics_token=SecretStr(TOKEN)))

    assert value(read(other).text, REQUESTS, route="/catalogs") is None
