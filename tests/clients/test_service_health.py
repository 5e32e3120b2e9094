"""How a service is: what it says when asked, and what calls taught; over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from maverik_backend.clients.http import HttpService
from maverik_backend.clients.rag.http import HttpAdvisor
from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamBusy, UpstreamRejected, UpstreamTimeout
from maverik_backend.services.operations import Health
from tests.clients.test_advisor_contract import answer
from tests.support.servers import HANG, RagServer, Reply, Request, ScriptedServer

AMPLE_S = 60.0
SHORT_S = 0.3


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as scripted:
        yield scripted


@pytest.fixture
def service(server: ScriptedServer) -> Iterator[HttpService]:
    # Below a path: the root of these servers answers whatever they are told.
    with closing(HttpService("rag", server.url + "/v1")) as made:
        yield made


def call(service: HttpService, *, within_s: float = AMPLE_S) -> object:
    return service.ask("/chat", {}, parse=lambda body: body, deadline=Deadline.after(within_s))


def check(service: HttpService, *, within_s: float = AMPLE_S) -> None:
    service.check(deadline=Deadline.after(within_s))


class OneAtATime:
    """Answers nothing while a call is under way, which ends when the test says so."""

    def __init__(self, server: ScriptedServer) -> None:
        self.done = threading.Event()
        server.default = self.answer

    def answer(self, request: Request) -> Reply:
        return Reply.json({"path": request.path}, once=self.done)


class TestBusy:
    def test_one_that_does_one_thing_at_a_time_is_busy_and_not_away(
        self, server: ScriptedServer, service: HttpService
    ) -> None:
        busy = OneAtATime(server)
        with ThreadPoolExecutor(1) as pool:
            turn = pool.submit(call, service)
            server.wait_for_requests(1)
            with pytest.raises(UpstreamBusy) as caught:
                check(service, within_s=SHORT_S)
            busy.done.set()
            assert turn.result() == {"path": "/v1/chat"}

        assert caught.value.reason == "busy (timeout)"
        check(service)

    @pytest.mark.parametrize("reply", [HANG, Reply(status=503)], ids=["silence", "503"])
    def test_one_that_just_answered_is_busy(self, server: ScriptedServer, service: HttpService, reply: Reply) -> None:
        call(service)
        server.script(reply)
        with pytest.raises(UpstreamBusy):
            check(service, within_s=SHORT_S if reply is HANG else AMPLE_S)

    def test_one_that_answers_nothing_is_not_busy(self, server: ScriptedServer, service: HttpService) -> None:
        server.script(HANG)
        with pytest.raises(UpstreamTimeout):
            check(service, within_s=SHORT_S)

    def test_one_whose_calls_time_out_is_not_busy(self, server: ScriptedServer, service: HttpService) -> None:
        call(service)
        server.default = lambda _request: HANG
        with pytest.raises(UpstreamTimeout):
            call(service, within_s=SHORT_S)
        with pytest.raises(UpstreamTimeout):
            check(service, within_s=SHORT_S)

    def test_one_whose_root_fails_is_not_busy(self, server: ScriptedServer, service: HttpService) -> None:
        call(service)
        server.script(Reply(status=500))
        with pytest.raises(UpstreamRejected):
            check(service)


class TestWrongAddress:
    def test_calls_that_find_nothing_there_count_more_than_the_root(
        self, server: ScriptedServer, service: HttpService
    ) -> None:
        server.script(Reply(status=404))
        with pytest.raises(UpstreamRejected):
            call(service)

        with pytest.raises(UpstreamRejected) as caught:
            check(service)
        assert caught.value.reason == "rejected (status 404)"
        assert len(server.requests) == 1  # the answer to a look at the root is known to mean nothing

    def test_a_call_that_succeeds_ends_it(self, server: ScriptedServer, service: HttpService) -> None:
        server.script(Reply(status=405))
        with pytest.raises(UpstreamRejected):
            call(service)
        call(service)

        check(service)

    def test_a_question_that_is_refused_says_nothing_about_the_service(
        self, server: ScriptedServer, service: HttpService
    ) -> None:
        server.script(Reply(status=422))
        with pytest.raises(UpstreamRejected):
            call(service)

        check(service)


class OnlyAtChat(RagServer):
    """The RAG service by itself: its endpoint is not below ``/api``."""

    def answer(self, request: Request) -> Reply:
        found = (request.method, request.path) == ("POST", "/chat")
        return Reply.json({"response": "Hola"} if found else {"detail": "Not Found"}, status=200 if found else 404)


class TestInTheReport:
    def test_a_path_where_nothing_answers_turns_is_unhealthy_until_one_is_answered(self, database: Database) -> None:
        with OnlyAtChat() as rag:
            advisor = HttpAdvisor(rag.url)
            health = Health(
                transaction=database.transaction,
                upstreams={"rag": lambda deadline: advisor.check(deadline=deadline)},
                fresh_for_s=0.0,
            )
            assert health.report().dependencies["rag"].status == "healthy"

            with pytest.raises(UpstreamRejected):
                answer(advisor)

            found = health.report()
            assert found.status == "degraded"
            assert found.dependencies["rag"].status == "unhealthy"
            assert found.dependencies["rag"].detail == "rejected (status 404)"

    def test_the_address_that_ends_in_chat_is_healthy(self) -> None:
        with OnlyAtChat() as rag:
            advisor = HttpAdvisor(rag.url + "/chat")
            assert answer(advisor).text == "Hola"
            advisor.check(deadline=Deadline.after(AMPLE_S))
