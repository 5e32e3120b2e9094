"""What operators and load balancers see of the service."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from maverik_backend.api import create_app, prepare
from maverik_backend.clients.llm.models import ConfiguredModels
from maverik_backend.clients.rag.http import HttpAdvisor
from maverik_backend.clients.registry import Clients
from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.principal import Principal
from maverik_backend.errors import UpstreamBusy, UpstreamCircuitOpen, UpstreamError, UpstreamTimeout, UpstreamWrongKey
from maverik_backend.invocation import own_command
from maverik_backend.services.operations.health import CHECK_TIMEOUT_S, DATABASE_FRESH_FOR_S, Health
from maverik_backend.settings import AppEnv, Settings
from maverik_backend.web.resources import Resources, resources_of
from tests.support.fixtures.application import MakeApp, ScriptedAdvisor
from tests.support.fixtures.people import TestUser, make_profile
from tests.support.providers.server import ProviderServer
from tests.support.providers.vendors import VENDORS, model_at


@pytest.fixture
def api(app: FastAPI) -> Iterator[TestClient]:
    """An operator's, on the machine itself."""
    client = TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50_000))
    yield client
    client.close()


def dependency(api: TestClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/health").json()["dependencies"][name]
    return found


class TestEverythingIsFine:
    def test_it_says_so_of_each_dependency(self, api: TestClient) -> None:
        body = api.get("/health").json()

        assert body["status"] == "healthy"
        assert {name: one["status"] for name, one in body["dependencies"].items()} == dict.fromkeys(
            ("database", "migrations", "mail", "rag", "optimizer"), "healthy"
        )

    def test_it_names_version_and_uptime(self, api: TestClient) -> None:
        body = api.get("/health").json()

        assert body["version"]
        assert body["uptime_s"] >= 0

    def test_it_tells_how_long_the_others_took(self, api: TestClient) -> None:
        assert all(dependency(api, name)["latency_ms"] >= 0 for name in ("database", "rag", "optimizer"))

    def test_it_is_ready(self, api: TestClient) -> None:
        response = api.get("/health/ready")

        assert (response.status_code, response.json()) == (200, {"status": "ready"})


TOO_OLD = pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = '0b2e5472511d'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
    ],
)


class TestTheDatabase:
    def test_without_it_the_service_cannot_do_its_job(self, detached_api: TestClient) -> None:
        response = detached_api.get("/health")

        assert (response.status_code, response.json()) == (503, {"status": "unhealthy"})

    def test_without_it_the_process_lives_and_is_not_ready(self, detached_api: TestClient) -> None:
        assert detached_api.get("/health/live").status_code == 200
        assert detached_api.get("/health/ready").status_code == detached_api.head("/health/ready").status_code == 503

    @TOO_OLD
    def test_tables_that_are_too_old_are_one_line_in_the_log_at_the_start_with_what_to_run(
        self, resources: Resources, connection: Connection, change: str
    ) -> None:
        connection.execute(text(change))

        with capture_logs() as logs:
            prepare(resources)

        assert [entry["event"] for entry in logs] == ["database_not_migrated"]
        assert logs[0]["detail"] == f"the database is not migrated: run `{own_command('migrate')}`"

    @TOO_OLD
    def test_tables_that_are_too_old_are_a_503_that_says_so(
        self, api: TestClient, connection: Connection, change: str
    ) -> None:
        connection.execute(text(change))

        response = api.get("/health")

        assert response.status_code == api.get("/health/ready").status_code == 503
        assert response.json()["dependencies"]["database"]["status"] == "healthy"
        assert response.json()["dependencies"]["migrations"]["status"] == "unhealthy"

    def test_tables_of_a_newer_release_are_fine(self, api: TestClient, connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffffffffffff'"))

        assert api.get("/health").status_code == api.get("/health/ready").status_code == 200


class TestMails:
    def test_those_that_wait_are_counted(self, api: TestClient) -> None:
        api.post("/user/signup", json=make_profile())

        assert dependency(api, "mail") == {"status": "healthy", "latency_ms": None, "detail": None, "backlog": 1}

    def test_one_that_waits_too_long_degrades_the_service(self, api: TestClient, connection: Connection) -> None:
        api.post("/user/signup", json=make_profile())
        connection.execute(text("UPDATE trabajo SET fecha_creacion = now() - interval '16 minutes'"))

        response = api.get("/health")

        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["dependencies"]["mail"]["status"] == "degraded"


class TestOtherServices:
    @pytest.mark.parametrize("failure", [UpstreamTimeout("rag"), UpstreamCircuitOpen("rag")], ids=lambda e: e.kind)
    def test_one_that_fails_degrades_the_service_and_is_named(
        self, api: TestClient, advisor: ScriptedAdvisor, failure: UpstreamError
    ) -> None:
        advisor.failure = failure

        response = api.get("/health")

        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["dependencies"]["rag"]["status"] == "unhealthy"
        assert response.json()["dependencies"]["rag"]["detail"] == failure.kind

    def test_one_that_is_busy_is_degraded(self, api: TestClient, advisor: ScriptedAdvisor) -> None:
        advisor.failure = UpstreamBusy("rag", "timeout")

        assert api.get("/health").json()["status"] == "degraded"
        assert dependency(api, "rag")["status"] == "degraded"
        assert dependency(api, "rag")["detail"] == "busy (timeout)"

    def test_one_that_fails_does_not_make_the_process_unready(self, api: TestClient, advisor: ScriptedAdvisor) -> None:
        advisor.failure = UpstreamTimeout("rag")

        assert api.get("/health/ready").status_code == 200

    def test_it_is_not_asked_again_and_again(self, api: TestClient, advisor: ScriptedAdvisor) -> None:
        for _ in range(10):
            api.get("/health")

        assert advisor.checks == 1

    def test_a_provider_of_models_that_does_not_know_the_key_is_named(
        self, settings: Settings, clients: Clients, database: Database
    ) -> None:
        vendor = VENDORS["openai"]
        with ProviderServer(vendor.refusal(UpstreamWrongKey)) as server, model_at(vendor, server.url) as model:
            models = ConfiguredModels({"openai": model})
            app = create_app(settings, clients=replace(clients, models=models), database=database)
            found = resources_of(app).health.report()

        assert (found.status, found.dependencies["openai"].detail) == ("degraded", "wrong_key (status 401)")

    def test_an_open_breaker_is_a_failure_even_if_the_service_is_there(self) -> None:
        advisor = HttpAdvisor("http://127.0.0.1:1")
        for _ in range(10):
            with pytest.raises(UpstreamError), advisor._service.breaker.guard():  # noqa: SLF001 - as ten turns would
                raise UpstreamTimeout("rag")

        with pytest.raises(UpstreamCircuitOpen):
            advisor.check(deadline=Deadline.after(1))


class Hanging:
    """A service that says nothing until it is let go."""

    def __init__(self) -> None:
        self.asked = self.answered = 0
        self.released = threading.Event()

    def __call__(self, deadline: Deadline) -> None:
        self.asked += 1
        self.released.wait(deadline.remaining_s() + 5)
        self.answered += 1


TOKEN = "una-clave-de-metricas-8Qz"


def with_token(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestWhoSeesTheDetail:
    """``METRICS_TOKEN``, or a client on the machine itself where there is none and it is not production."""

    @staticmethod
    def sees(app: FastAPI, *, client: str = "127.0.0.1", headers: dict[str, str] | None = None) -> bool:
        body = TestClient(app, client=(client, 50_000)).get("/health", headers=headers).json()
        assert body["status"] == "healthy"
        assert body.keys() in ({"status"}, {"status", "version", "uptime_s", "dependencies"})
        return "dependencies" in body

    @pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
    def test_the_machine_itself_does_without_a_token(self, app: FastAPI, client: str) -> None:
        assert self.sees(app, client=client)

    @pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::1", "testclient", "::ffff:192.0.2.1"])
    def test_others_do_not(self, app: FastAPI, client: str) -> None:
        assert not self.sees(app, client=client)

    @pytest.mark.parametrize("forwarded", ["192.0.2.1", "127.0.0.1", ""])
    def test_who_comes_through_a_proxy_on_the_machine_does_not(self, app: FastAPI, forwarded: str) -> None:
        assert not self.sees(app, headers={"X-Forwarded-For": forwarded})

    def test_who_has_the_token_does_from_anywhere(self, make_app: MakeApp) -> None:
        app = make_app(metrics_token=SecretStr(TOKEN))

        assert self.sees(app, client="192.0.2.1", headers=with_token(TOKEN))

    @pytest.mark.parametrize(
        "headers",
        [{}, with_token(""), with_token(TOKEN[:-1]), with_token(TOKEN + "x"), {"Authorization": f"Basic {TOKEN}"}],
        ids=range(5),
    )
    def test_where_there_is_a_token_nothing_else_will_do(self, make_app: MakeApp, headers: dict[str, str]) -> None:
        assert not self.sees(make_app(metrics_token=SecretStr(TOKEN)), headers=headers)

    def test_in_production_the_machine_itself_needs_it_too(
        self, settings: Settings, database: Database, clients: Clients
    ) -> None:
        production = settings.app.model_copy(update={"app_env": AppEnv.PROD})
        app = create_app(settings.model_copy(update={"app": production}), clients=clients, database=database)

        assert not self.sees(app)

    def test_people_do_not(self, app: FastAPI, user: TestUser) -> None:
        assert not self.sees(app, client="192.0.2.1", headers=with_token(user.token))


class SlowDatabase:
    """Counts how often a transaction was begun; none begins before it is let."""

    def __init__(self, database: Database) -> None:
        self.begun = 0
        self.released = threading.Event()
        self._database = database

    @contextmanager
    def transaction(self, principal: Principal | None = None, /) -> Iterator[Connection]:
        self.begun += 1
        self.released.wait(CHECK_TIMEOUT_S * 5)
        with self._database.transaction(principal) as db:
            yield db


class TestFloods:
    @pytest.fixture
    def slow(self, database: Database) -> Iterator[SlowDatabase]:
        slow = SlowDatabase(database)
        yield slow
        slow.released.set()

    def test_the_database_is_asked_once_however_many_ask(self, slow: SlowDatabase) -> None:
        health = Health(transaction=slow.transaction, upstreams={})
        slow.released.set()
        with ThreadPoolExecutor(16) as pool:
            reports = list(pool.map(lambda _: health.report(), range(200)))

        assert {report.status for report in reports} == {"healthy"}
        assert slow.begun <= 2 * (1 + reports[-1].uptime_s / DATABASE_FRESH_FOR_S)  # a look is two transactions

    def test_one_that_hangs_holds_one_connection_and_requests_only_briefly(self, slow: SlowDatabase) -> None:
        health = Health(transaction=slow.transaction, upstreams={})
        assert health.report().dependencies["database"].detail == "timeout"

        began = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            reports = list(pool.map(lambda _: health.report(), range(200)))

        assert {report.status for report in reports} == {"unhealthy"}
        assert not health.is_ready()
        assert slow.begun == 1
        assert time.monotonic() - began < 100 * CHECK_TIMEOUT_S


class TestOneThatHangs:
    @pytest.fixture
    def service(self) -> Hanging:
        return Hanging()

    @pytest.fixture
    def health(self, database: Database, service: Hanging) -> Iterator[Health]:
        # Nothing counts as fresh, so that each look would ask.
        health = Health(transaction=database.transaction, upstreams={"rag": service}, fresh_for_s=0.0)
        yield health
        service.released.set()

    def test_crowds_do_not_pile_up_on_it(self, health: Health, service: Hanging) -> None:
        watched = health._upstreams["rag"]  # noqa: SLF001 - without the one connection of this test's database
        with ThreadPoolExecutor(8) as pool:
            found = [one.result() for one in [pool.submit(watched.latest) for _ in range(8)]]

        assert {one.status for one in found} == {"unhealthy"}
        assert service.asked == 1

    def test_what_was_known_before_is_told_meanwhile(self, health: Health, service: Hanging) -> None:
        service.released.set()
        health.report()
        service.released.clear()

        report = health.report()

        assert report.dependencies["rag"].status == "healthy"
        assert (service.asked, service.answered) == (2, 1)


def test_a_process_that_is_ending_is_alive_but_not_ready(api: TestClient, resources: Resources) -> None:
    resources.health.stop()

    assert api.get("/health/live").status_code == api.get("/health").status_code == 200
    assert api.get("/health/ready").json() == {"status": "not ready"}
