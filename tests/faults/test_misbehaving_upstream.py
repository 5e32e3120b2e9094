"""Turns while the RAG service or the optimiser misbehaves, over real sockets: people are always answered, in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient
from structlog.testing import capture_logs
from structlog.typing import EventDict

from maverik_backend.api import create_app
from maverik_backend.clients.breaker import MIN_CALLS
from maverik_backend.clients.policy import BACKOFFS_S
from maverik_backend.core.database import Database
from maverik_backend.settings import Settings
from maverik_backend.texts import advice as texts
from tests.support.fixtures.people import TestUser
from tests.support.servers import LOOPBACK, OptimizerServer, Peer, RagServer, RawServer, refusing_port

AMPLE_S = 30.0
SHORT_S = 2.0  # for what would last longer than any deadline
LATE_S = 10.0  # what a loaded machine may take beyond it; the slow ones above take a minute
TRIES = 1 + len(BACKOFFS_S)
MEBIBYTE = 1024 * 1024
HUGE_BYTES = 50 * MEBIBYTE
PIECE_BYTES = 64 * 1024
# The most that the two ends of a loopback connection buffer by themselves, and the one mebibyte that is read.
UNREAD_BYTES = 20 * MEBIBYTE
SAID = "¿Me conviene un plazo fijo? Ahorré 3.000.000."

Behaviour = Callable[[Peer], None]


def answers(body: bytes, *, status: str = "200 OK", length: int | None = None, **headers: str) -> Behaviour:
    """Answers with that body, then closes, so that each request comes over a connection of its own."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Length: {len(body) if length is None else length}",
            "Connection: close",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        peer.send("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def hangs_before_the_answer(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def hangs_amid_the_body(peer: Peer) -> None:
    answers(b'{"response": "Conv', length=100)(peer)
    peer.hang()


def drips_a_byte_a_second(peer: Peer) -> None:
    answers(b"", length=100)(peer)
    peer.drip(b'{"response": "Conviene empezar por un presupuesto."}', every_s=1.0)


def resets(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def cuts_the_body_off(peer: Peer) -> None:
    answers(b'{"response": "Conv', length=100)(peer)


class Huge:
    """Answers with 50 MB, and counts what is taken of them."""

    def __init__(self) -> None:
        self.taken_bytes = 0

    def __call__(self, peer: Peer) -> None:
        answers(b"", length=HUGE_BYTES)(peer)
        while self.taken_bytes < HUGE_BYTES:
            peer.send(b" " * PIECE_BYTES)
            self.taken_bytes += PIECE_BYTES


def sends_chunks_without_end(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:  # ends when the client goes
        peer.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


TOO_MANY = "429 Too Many Requests"
UNAVAILABLE = "503 Service Unavailable"
# What it does, the name that the failure has, and how many requests it gets for it.
MISBEHAVIOURS = [
    pytest.param(hangs_before_the_answer, "timeout", 1, id="hangs before the answer"),
    pytest.param(hangs_amid_the_body, "timeout", 1, id="hangs amid the body"),
    pytest.param(drips_a_byte_a_second, "timeout", 1, id="drips a byte a second"),
    pytest.param(resets, "unreachable", TRIES, id="resets"),
    pytest.param(Peer.close, "unreachable", TRIES, id="closes at once"),
    pytest.param(cuts_the_body_off, "unreachable", TRIES, id="cuts the body off"),
    pytest.param(answers(b"", status="307 Temporary Redirect", Location="/"), "rejected", 1, id="redirects for ever"),
    pytest.param(answers(b"{}", status="500 Internal Server Error"), "rejected", 1, id="500"),
    pytest.param(answers(b"{}", status=UNAVAILABLE), "rejected", TRIES, id="503"),
    pytest.param(answers(b"{}", status=TOO_MANY), "rejected", TRIES, id="429"),
    pytest.param(answers(b"{}", status=TOO_MANY, Retry_After="0"), "rejected", TRIES, id="429, again now"),
    pytest.param(answers(b"{}", status=TOO_MANY, Retry_After="60"), "rejected", 1, id="429, past the deadline"),
    pytest.param(answers(b"{}", status=TOO_MANY, Retry_After="9" * 400), "rejected", 1, id="429, in aeons"),
    pytest.param(
        answers(b"{}", status=TOO_MANY, Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"), "rejected", 1, id="429, dated"
    ),
    pytest.param(sends_chunks_without_end, "bad_answer", 1, id="endless"),
    pytest.param(answers(b""), "bad_answer", 1, id="empty body"),
    pytest.param(answers(b'{"response": "Conv'), "bad_answer", 1, id="half a JSON"),
    pytest.param(
        answers(b"<!doctype html><title>Hola</title>", Content_Type="text/html"), "bad_answer", 1, id="HTML with 200"
    ),
    pytest.param(answers(b'{"response": "Hola\x00 \x1b[31m"}'), "bad_answer", 1, id="raw control characters"),
    pytest.param(answers(b'{"response": "\xff\xfe"}'), "bad_answer", 1, id="not UTF-8"),
    *(
        pytest.param(answers(body), "bad_answer", 1, id=f"wrong type: {body.decode()}")
        for body in (b"null", b"7", b'"Hola"', b'["Hola"]', b"{}")
    ),
]
WRONG_RESPONSES = ["null", "7", "true", '["Hola"]', '{"text": "Hola"}', '""', '" \\n "', '"\\u0000"', '"<script>x"']
WRONG_PORTFOLIOS = [
    '{"assets": null, "weights": null}',
    '{"assets": "Bonos", "weights": 100}',
    '{"assets": [], "weights": []}',
    '{"assets": ["Bonos"], "weights": ["100"]}',
    '{"assets": ["Bonos"], "weights": [{"value": 100}]}',
    '{"assets": [["Bonos"]], "weights": [100]}',
    '{"assets": ["Bonos"], "weights": [NaN]}',
    '{"assets": [""], "weights": [100]}',
    '{"assets": ["Bo\\u0000nos"], "weights": [100]}',
]


@dataclass
class Told:
    """A turn, and what people and operators get to know of it."""

    turn: dict[str, Any]
    history: list[dict[str, Any]]
    error: str | None
    took_s: float
    logs: list[EventDict] = field(default_factory=list)

    def logged(self, event: str) -> list[Any]:
        """The kinds of the log lines with this name, each of which must say which turn it is about."""
        lines = [line for line in self.logs if line["event"] == event]
        assert {line["turn_id"] for line in lines} <= {self.turn["id"]}
        return [line["kind"] for line in lines]


class Conversation:
    """Somebody at an application that asks real services, each at its address."""

    def __init__(self, user: TestUser, connection: Connection) -> None:
        self._user = user
        self._connection = connection
        self._session = user.open_session()

    def say(self, said: str = SAID) -> Told:
        with capture_logs() as logs:
            began = time.monotonic()
            turn = self._user.say(self._session, said)
            took_s = time.monotonic() - began
        error = self._connection.scalar(
            text("SELECT error FROM sesion_asesoria_detalle WHERE id = :id"), {"id": turn["id"]}
        )
        history = self._user.get(f"/copilot/sessions/{self._session['id']}").json()
        return Told(turn=turn, history=history, error=error, took_s=took_s, logs=logs)


Converse = Callable[..., Conversation]


@pytest.fixture
def converse(settings: Settings, database: Database, user: TestUser, connection: Connection) -> Iterator[Converse]:
    """``converse(rag=url, optimizer=url)``; the service that is not given behaves."""
    with ExitStack() as stack:

        def make(*, rag: str | None = None, optimizer: str | None = None, within_s: float = AMPLE_S) -> Conversation:
            addresses = {
                "rag_service_url": rag or stack.enter_context(RagServer()).url,
                "portfolio_optimization_url": optimizer or stack.enter_context(OptimizerServer()).url,
                "external_service_timeout": within_s,
            }
            advice = settings.advice.model_copy(update=addresses)
            app = create_app(settings.model_copy(update={"advice": advice}), database=database)
            api = stack.enter_context(closing(TestClient(app)))
            return Conversation(
                TestUser(api, email=user.email, key=user.key, token=user.token, refresh_token=""), connection
            )

        yield make


def assert_fell_back(told: Told, *, kind: str) -> None:
    """An honest Spanish text, nothing lost, and the failure known by its name."""
    assert (told.turn["estado"], told.turn["origen"]) == ("respaldo", "respaldo")
    assert told.turn["output"].startswith(texts.FALLBACK)
    assert told.turn["input"] == SAID
    assert told.history == [told.turn]
    assert (told.error, told.logged("advisor_failed")) == (kind, [kind])


def assert_lost_only_the_portfolio(told: Told) -> None:
    assert (told.turn["estado"], told.turn["portafolio"]) == ("completada", None)
    assert told.turn["output"] == f"Respuesta de prueba a: {SAID}"
    assert told.history == [told.turn]
    assert told.error is None


class TestTheRagService:
    @pytest.mark.parametrize(("behaviour", "kind", "requests"), MISBEHAVIOURS)
    def test_whatever_it_does_costs_the_answer_never_the_turn(
        self, converse: Converse, behaviour: Behaviour, kind: str, requests: int
    ) -> None:
        deadline_s = SHORT_S if kind == "timeout" else AMPLE_S
        with RawServer(behaviour) as rag:
            told = converse(rag=rag.url, within_s=deadline_s).say()

        assert_fell_back(told, kind=kind)
        assert told.turn["portafolio"] is not None
        assert rag.connections == requests
        assert told.took_s < deadline_s + LATE_S

    def test_nobody_there_costs_the_answer_never_the_turn(self, converse: Converse) -> None:
        with refusing_port() as port:
            told = converse(rag=f"http://{LOOPBACK}:{port}").say()

        assert_fell_back(told, kind="unreachable")

    @pytest.mark.parametrize("response", WRONG_RESPONSES)
    def test_a_response_that_is_no_text_is_none(self, converse: Converse, response: str) -> None:
        with RawServer(answers(f'{{"response": {response}}}'.encode())) as rag:
            told = converse(rag=rag.url).say()

        assert_fell_back(told, kind="bad_answer")

    @pytest.mark.parametrize("trouble", [resets, answers(b"{}", status=UNAVAILABLE)], ids=["reset", "503"])
    def test_a_moment_of_trouble_goes_unnoticed(self, converse: Converse, trouble: Behaviour) -> None:
        with RawServer(trouble, answers(b'{"response": "Conviene ahorrar."}')) as rag:
            told = converse(rag=rag.url).say()

        assert told.turn["estado"] == "completada"
        assert told.turn["output"].startswith("Conviene ahorrar.")
        assert (told.error, rag.connections) == (None, 2)

    def test_control_characters_are_taken_out_of_its_answer(self, converse: Converse) -> None:
        body = b'{"response": "Con\\u0000viene \\u001b[31mahorrar\\u202e\\ud800.\\r\\nS\\u00ed."}'
        with RawServer(answers(body)) as rag:
            told = converse(rag=rag.url).say()

        assert told.turn["estado"] == "completada"
        assert told.turn["output"].startswith("Conviene [31mahorrar.\nSí.")
        assert told.history == [told.turn]

    def test_a_huge_answer_is_not_read(self, converse: Converse) -> None:
        huge = Huge()
        with RawServer(huge) as rag:
            assert_fell_back(converse(rag=rag.url).say(), kind="bad_answer")

        assert MEBIBYTE < huge.taken_bytes < UNREAD_BYTES

    def test_a_storm_of_errors_is_not_answered_with_a_storm_of_requests(self, converse: Converse) -> None:
        with RawServer(answers(b"{}", status="500 Internal Server Error")) as rag:
            conversation = converse(rag=rag.url)
            errors = [conversation.say(f"mensaje {number}").error for number in range(MIN_CALLS + 3)]

        assert errors == ["rejected"] * MIN_CALLS + ["circuit_open"] * 3
        assert rag.connections == MIN_CALLS


class TestTheOptimizer:
    @pytest.mark.parametrize(("behaviour", "kind", "requests"), MISBEHAVIOURS)
    def test_whatever_it_does_costs_the_portfolio_never_the_answer(
        self, converse: Converse, behaviour: Behaviour, kind: str, requests: int
    ) -> None:
        deadline_s = SHORT_S if kind == "timeout" else AMPLE_S
        with RawServer(behaviour) as optimizer:
            told = converse(optimizer=optimizer.url, within_s=deadline_s).say()

        assert_lost_only_the_portfolio(told)
        # Whoever waits for it and its own call run out of time at the same moment; either may say so first.
        names = {kind, "late"} if kind == "timeout" else {kind}
        assert told.logged("optimizer_failed")
        assert set(told.logged("optimizer_failed")) <= names
        assert optimizer.connections == requests
        assert told.took_s < deadline_s + LATE_S

    def test_nobody_there_costs_the_portfolio_never_the_answer(self, converse: Converse) -> None:
        with refusing_port() as port:
            told = converse(optimizer=f"http://{LOOPBACK}:{port}").say()

        assert_lost_only_the_portfolio(told)
        assert told.logged("optimizer_failed") == ["unreachable"]

    @pytest.mark.parametrize("body", WRONG_PORTFOLIOS)
    def test_what_is_no_portfolio_is_none(self, converse: Converse, body: str) -> None:
        with RawServer(answers(body.encode())) as optimizer:
            told = converse(optimizer=optimizer.url).say()

        assert_lost_only_the_portfolio(told)
        assert told.logged("optimizer_failed") in (["bad_answer"], ["nonsense"])

    def test_a_huge_answer_is_not_read(self, converse: Converse) -> None:
        huge = Huge()
        with RawServer(huge) as optimizer:
            assert_lost_only_the_portfolio(converse(optimizer=optimizer.url).say())

        assert MEBIBYTE < huge.taken_bytes < UNREAD_BYTES


class TestBoth:
    def test_they_fail_together_in_the_time_of_one(self, converse: Converse) -> None:
        with RawServer(hangs_before_the_answer) as rag, RawServer(hangs_before_the_answer) as optimizer:
            told = converse(rag=rag.url, optimizer=optimizer.url, within_s=SHORT_S).say()

        assert_fell_back(told, kind="timeout")
        assert told.took_s < SHORT_S + LATE_S
        assert told.turn["portafolio"] is None
