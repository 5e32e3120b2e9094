"""The one line a request, and the trace that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.http_api import HttpApiSender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.optimizer.http import HttpOptimizer
from maverik_backend.clients.rag.http import HttpAdvisor
from maverik_backend.clients.registry import Clients
from maverik_backend.core.database import Database
from maverik_backend.core.security import PasswordHasher
from maverik_backend.settings import Settings
from maverik_backend.web.resources import Resources, resources_of
from tests.support.fixtures.application import MakeApp
from tests.support.fixtures.people import TestUser, make_profile
from tests.support.log_lines import Lines
from tests.support.servers import MailApiServer, OptimizerServer, RagServer
from tests.support.streams import EVENTS

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


class TestLine:
    def test_it_says_who_asked_for_which_session(self, user: TestUser, lines: Lines, resources: Resources) -> None:
        session = user.open_session()
        lines.all.clear()

        user.get(f"/copilot/sessions/{session['id']}", headers={"X-Request-ID": "abc-12345"})

        (line,) = lines.of("request")
        user_id = resources.tokens.read_access(user.token).user_id
        assert line.pop("duration_ms") > 0
        assert re.fullmatch("[0-9a-f]{32}", line.pop("trace_id"))
        assert {name: line[name] for name in line if name != "level"} == {
            "event": "request",
            "method": "GET",
            "route": "/copilot/sessions/{session_id}",
            "status": 200,
            "user_id": user_id,
            "principal_kind": "persona",
            "principal_id": user_id,
            "session_id": session["id"],
            "request_id": "abc-12345",
        }

    def test_of_a_turn_as_well(self, user: TestUser, lines: Lines, resources: Resources) -> None:
        session = user.open_session()
        lines.all.clear()

        user.say(session, "hola")

        (line,) = lines.of("request")
        user_id = resources.tokens.read_access(user.token).user_id
        assert (line["user_id"], line["session_id"]) == (user_id, session["id"])

    def test_of_a_stream_it_tells_how_it_ended(self, user: TestUser, lines: Lines) -> None:
        session = user.open_session()
        lines.all.clear()

        user.post(f"/copilot/sessions/{session['id']}", {"input": "hola"}, headers=EVENTS)

        (line,) = lines.of("request")
        assert line["stream_end"] == "complete"

    def test_who_is_not_signed_in_has_no_id(self, api: TestClient, lines: Lines) -> None:
        api.get("/user/me", headers={"Authorization": "Bearer v4.local.AAAA"})

        (line,) = lines.of("request")
        assert (line["user_id"], line["principal_kind"], line["principal_id"]) == (None, None, None)

    @pytest.mark.parametrize("given", ["secreto", "9" * 100, "1.5", "-1"])
    def test_what_is_no_id_is_not_repeated(self, user: TestUser, lines: Lines, given: str) -> None:
        lines.all.clear()

        user.get(f"/copilot/sessions/{given}")

        (line,) = lines.of("request")
        assert line["session_id"] is None
        # Times and ids of the line's own may look like anything.
        measured = ("duration_ms", "request_id", "trace_id")
        assert given not in str({name: value for name, value in line.items() if name not in measured})

    def test_a_refused_preflight_has_one_and_says_to_the_browser_which(self, make_app: MakeApp, lines: Lines) -> None:
        api = TestClient(make_app(rate_limit_requests_per_minute=1))
        headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
        api.options("/copilot/sessions", headers=headers)
        lines.all.clear()

        refused = api.options("/copilot/sessions", headers=headers)

        (line,) = lines.of("request")
        assert (refused.status_code, line["status"], line["method"]) == (429, 429, "OPTIONS")
        assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert refused.headers["X-Request-ID"] == line["request_id"]


class TestTrace:
    @pytest.fixture
    def rag(self) -> Iterator[RagServer]:
        with RagServer() as server:
            yield server

    @pytest.fixture
    def optimizer_service(self) -> Iterator[OptimizerServer]:
        with OptimizerServer() as server:
            yield server

    @pytest.fixture
    def app(
        self,
        settings: Settings,
        database: Database,
        mailbox: LocalMailbox,
        cheap_hasher: PasswordHasher,
        rag: RagServer,
        optimizer_service: OptimizerServer,
    ) -> FastAPI:
        services = Clients(advisor=HttpAdvisor(rag.url), optimizer=HttpOptimizer(optimizer_service.url), mail=mailbox)
        return create_app(settings, clients=services, database=database, hasher=cheap_hasher)

    def test_a_valid_one_is_in_every_line(self, api: TestClient, lines: Lines) -> None:
        api.get("/", headers={"traceparent": PARENT})

        assert {line["trace_id"] for line in lines.all} == {TRACE_ID}

    def test_two_of_them_are_none(self, api: TestClient, lines: Lines) -> None:
        api.get("/", headers=[("traceparent", PARENT), ("traceparent", PARENT)])

        assert lines.of("request")[0]["trace_id"] != TRACE_ID

    def test_it_reaches_every_service_of_a_turn_with_spans_of_their_own(
        self, user: TestUser, rag: RagServer, optimizer_service: OptimizerServer
    ) -> None:
        session = user.open_session()
        headers = {"traceparent": PARENT, "tracestate": "rojo=1"}

        user.post(f"/copilot/sessions/{session['id']}", {"input": "Armame un portafolio"}, headers=headers)

        sent = [request.headers for request in (*rag.requests, *optimizer_service.wait_for_requests(1))]
        parents = [each["traceparent"] for each in sent]
        assert {parent[:36] + parent[52:] for parent in parents} == {f"00-{TRACE_ID}--01"}
        assert len({parent[36:52] for parent in parents}) == 2
        assert [each["tracestate"] for each in sent] == ["rojo=1"] * 2

    def test_without_one_a_new_one_does(self, user: TestUser, rag: RagServer, lines: Lines) -> None:
        session = user.open_session()
        lines.all.clear()

        user.say(session, "hola")

        (line,) = lines.of("request")
        assert rag.requests[0].headers["traceparent"].split("-")[1] == line["trace_id"]
        assert "tracestate" not in rag.requests[0].headers

    def test_a_mail_that_leaves_is_a_trace_of_its_own(
        self, settings: Settings, database: Database, resources: Resources, lines: Lines
    ) -> None:
        with MailApiServer() as server:
            sender = HttpApiSender(server.url, api_key="k", sender=Sender(name="Maverik", address="a@example.com"))
            services = Clients(advisor=resources.clients.advisor, optimizer=resources.clients.optimizer, mail=sender)
            app = create_app(settings, clients=services, database=database)
            TestClient(app).post("/user/signup", json=make_profile(), headers={"traceparent": PARENT})

            assert resources_of(app).jobs.run_due() == 1

            (line,) = lines.of("job_done")
            assert server.requests[0].headers["traceparent"].split("-")[1] == line["trace_id"] != TRACE_ID
