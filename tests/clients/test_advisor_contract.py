"""What every advisor promises, asked of each line of ``registry.ADVISORS``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal

import pytest

from maverik_backend.clients import registry
from maverik_backend.clients.rag.base import Advisor, Answer, Passage, Question, Situation
from maverik_backend.clients.rag.http import HttpAdvisor
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from maverik_backend.settings import AdviceSettings, Settings
from tests.support.servers import HANG, LOOPBACK, RagServer, Reply, refusing_port

AMPLE_S = 60.0
SHORT_S = 0.3


def found_in_memory(text: str, *, limit: int) -> Sequence[Passage]:
    """A knowledge base with one article about everything."""
    passages = [Passage(article="todo", title="Todo", order=1, text=f"Sobre {text}.", score=1.0)]
    return passages[:limit]


def make_advisor(*, rag_service_url: str | None) -> Advisor:
    settings = Settings(advice=AdviceSettings(rag_service_url=rag_service_url))
    return registry.make_clients(registry.ClientContext(settings=settings, search=found_in_memory)).advisor


@contextmanager
def http() -> Iterator[Advisor]:
    with RagServer() as rag:
        yield make_advisor(rag_service_url=rag.url)


@contextmanager
def embedded() -> Iterator[Advisor]:
    yield make_advisor(rag_service_url=None)


HARNESSES: dict[str, Callable[[], AbstractContextManager[Advisor]]] = {"http": http, "embedded": embedded}


@pytest.fixture(params=registry.ADVISORS)
def advisor(request: pytest.FixtureRequest) -> Iterator[Advisor]:
    if request.param not in HARNESSES:
        pytest.fail(f"registry.ADVISORS has {request.param!r}, which has no harness here: add one to HARNESSES")
    with HARNESSES[request.param]() as made:
        module, _, name = registry.ADVISORS[request.param].partition(":")
        assert (type(made).__module__, type(made).__name__) == (module, name)
        yield made


def ask(text: str = "¿Qué es un fondo común de inversión?", *, history: int = 0) -> Question:
    return Question(
        user_profile="Tengo 34 años y nunca invertí.",
        chat_history=tuple((f"pregunta {turn}", f"respuesta {turn}") for turn in range(history)),
        input=text,
        situation=Situation(goal="Viaje", capital=Decimal(1000), horizon_months=12, risk_tolerance="baja"),
    )


def answer(advisor: Advisor, question: Question | None = None, *, within_s: float = AMPLE_S) -> Answer:
    return advisor.answer(question or ask(), deadline=Deadline.after(within_s))


class TestEveryAdvisor:
    def test_answer_has_text(self, advisor: Advisor) -> None:
        assert answer(advisor).text.strip()

    def test_answer_names_its_origin(self, advisor: Advisor) -> None:
        assert answer(advisor).origin.strip()

    def test_origin_is_the_same_for_every_answer(self, advisor: Advisor) -> None:
        assert answer(advisor, ask("ahorro")).origin == answer(advisor, ask("hola")).origin

    def test_answer_is_to_the_question(self, advisor: Advisor) -> None:
        assert "interes compuesto" in answer(advisor, ask("interes compuesto")).text

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("a", id="one letter"),
            pytest.param("inflación " * 800, id="8,000 characters"),
            pytest.param("¿Y el dólar? 🤔\n\n— dijo él", id="accents, emoji, line breaks"),
            pytest.param('"}], "input": {', id="looks like JSON"),
            pytest.param("\ud83e", id="half an emoji"),
            pytest.param("%s {input} \\", id="looks like a format"),
        ],
    )
    def test_any_text_is_answered(self, advisor: Advisor, text: str) -> None:
        assert answer(advisor, ask(text)).text.strip()

    @pytest.mark.parametrize("turns", [1, 20])
    def test_conversation_goes_on(self, advisor: Advisor, turns: int) -> None:
        assert answer(advisor, ask("¿y eso?", history=turns)).text.strip()

    def test_nothing_needs_to_be_known_of_the_person(self, advisor: Advisor) -> None:
        question = Question(user_profile="", chat_history=(), input="ahorro", situation=Situation())
        assert answer(advisor, question).text.strip()

    def test_threads_get_the_answers_to_their_own_questions(self, advisor: Advisor) -> None:
        threads = 8
        barrier = threading.Barrier(threads)

        def work(number: int) -> list[bool]:
            barrier.wait(AMPLE_S)
            subjects = [f"ahorro numero {number} {turn}" for turn in range(5)]
            return [subject in answer(advisor, ask(subject)).text for subject in subjects]

        with ThreadPoolExecutor(threads) as pool:
            assert list(pool.map(work, range(threads))) == [[True] * 5] * threads

    def test_it_says_that_it_is_there(self, advisor: Advisor) -> None:
        advisor.check(deadline=Deadline.after(AMPLE_S))


@pytest.fixture
def rag() -> Iterator[RagServer]:
    with RagServer() as server:
        yield server


class TestHttpAdvisor:
    def test_call_is_what_the_contract_says(self, rag: RagServer) -> None:
        answer(make_advisor(rag_service_url=rag.url), ask("¿y eso?", history=2))
        assert (rag.requests[0].method, rag.requests[0].path) == ("POST", "/api/chat")
        assert rag.requests[0].json == {
            "userProfile": "Tengo 34 años y nunca invertí.",
            "chatHistory": [["pregunta 0", "respuesta 0"], ["pregunta 1", "respuesta 1"]],
            "input": "¿y eso?",
        }

    def test_address_may_have_a_path_and_a_closing_slash(self, rag: RagServer) -> None:
        rag.script(Reply.json({"response": "Hola"}))
        assert answer(make_advisor(rag_service_url=rag.url + "/v2/")).text == "Hola"
        assert rag.requests[0].path == "/v2/api/chat"

    @pytest.mark.parametrize(
        ("path", "asked"),
        [
            ("", "/api/chat"),
            ("/", "/api/chat"),
            ("/chat", "/chat"),
            ("/chat/", "/chat"),
            ("/api/chat", "/api/chat"),
            ("/rag/v1/chat", "/rag/v1/chat"),
            ("/chat/v2", "/chat/v2/api/chat"),
            ("/webchat", "/webchat/api/chat"),
        ],
    )
    def test_a_path_that_ends_in_chat_is_the_endpoint_and_another_one_leads_to_it(
        self, rag: RagServer, path: str, asked: str
    ) -> None:
        rag.script(Reply.json({"response": "Hola"}))
        answer(make_advisor(rag_service_url=rag.url + path))
        assert rag.requests[0].path == asked

    def test_a_host_called_chat_is_no_path(self) -> None:
        assert HttpAdvisor("http://chat")._path == "/api/chat"  # noqa: SLF001 - nothing answers to that name here

    def test_response_is_the_answer_as_it_stands(self, rag: RagServer) -> None:
        rag.script(Reply.json({"response": " **Hola**\n", "sources": ["x"]}))
        assert answer(make_advisor(rag_service_url=rag.url)) == Answer(text=" **Hola**\n", origin="rag")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            None,
            "Hola",
            ["Hola"],
            {"Response": "Hola"},
            {"response": None},
            {"response": 7},
            {"response": ["Hola"]},
            {"response": {"text": "Hola"}},
            {"response": ""},
            {"response": " \n\t\u00a0"},
        ],
        ids=repr,
    )
    def test_another_shape_is_a_bad_answer(self, rag: RagServer, body: object) -> None:
        rag.script(Reply.json(body))
        with pytest.raises(UpstreamBadAnswer):
            answer(make_advisor(rag_service_url=rag.url))

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            pytest.param(Reply.json({"response": "No"}, status=500), UpstreamRejected, id="500"),
            pytest.param(Reply.json({"response": "No"}, status=404), UpstreamRejected, id="404"),
            pytest.param(Reply(body=b"<html>"), UpstreamBadAnswer, id="not JSON"),
            pytest.param(HANG, UpstreamTimeout, id="hang"),
        ],
    )
    def test_failure_is_of_the_right_kind(self, rag: RagServer, reply: Reply, error: type[UpstreamError]) -> None:
        rag.script(reply)
        with pytest.raises(error) as caught:
            answer(make_advisor(rag_service_url=rag.url), within_s=SHORT_S if reply is HANG else AMPLE_S)
        assert caught.value.service == "rag"

    def test_a_refused_connection_is_unreachable(self) -> None:
        with refusing_port() as port, pytest.raises(UpstreamUnreachable):
            answer(make_advisor(rag_service_url=f"http://{LOOPBACK}:{port}"))

    def test_failure_does_not_last(self, rag: RagServer) -> None:
        advisor = make_advisor(rag_service_url=rag.url)
        rag.script(Reply(status=500))
        with pytest.raises(UpstreamRejected):
            answer(advisor)
        assert answer(advisor).text


class TestEmbeddedAdvisor:
    def test_what_is_not_about_money_is_answered_too(self) -> None:
        context = registry.ClientContext(settings=Settings(), search=lambda _text, *, limit: [][:limit])
        assert answer(registry.make_clients(context).advisor, ask("¿Quién ganó el partido?")).text.strip()

    def test_sources_are_the_titles_it_rests_on(self) -> None:
        assert answer(make_advisor(rag_service_url=None), ask("ahorro")).sources == ("Todo",)
