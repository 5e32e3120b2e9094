"""Streams whose server is killed, or whose client goes on elsewhere: nothing is lost, doubled or different."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from maverik_backend.clients.rag.base import Answer, Question
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.security import generate_paserk
from maverik_backend.services.turns.heartbeat import LEASE
from maverik_backend.settings import Settings
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import make_session_body
from tests.support.fixtures.replicas import Replica
from tests.support.forked import run_forked
from tests.support.postgres import TcpPostgres
from tests.support.processes import ServerProcess
from tests.support.servers import HANG, OptimizerServer, RagServer
from tests.support.signing_in import sign_up_and_in
from tests.support.streams import EVENTS, EventStream, text_of

STREAMS = 100
LEASE_S = LEASE.total_seconds()
PATIENCE_S = 60.0
PIECE_EACH_S = 0.01
WORDS = 60
OPEN_SESSIONS = (
    "INSERT INTO sesion_asesoria (usuario_id) SELECT id FROM usuario, generate_series(1, :count) RETURNING id"
)


class PacedAdvisor:
    """Repeats the question, a word at a time."""

    def stream(self, question: Question, *, on_text: Callable[[str], None], deadline: Deadline) -> Answer:
        for word in question.input.split():
            on_text(f"{word} ")
            deadline.sleep(PIECE_EACH_S)
        return Answer(text=question.input, origin="rag")

    def answer(self, question: Question, *, deadline: Deadline) -> Answer:
        return self.stream(question, on_text=lambda _piece: None, deadline=deadline)

    def check(self, *, deadline: Deadline) -> None:
        del deadline


class TestKilled:
    @pytest.fixture
    def rag(self) -> Iterator[RagServer]:
        with RagServer() as rag:
            yield rag

    @pytest.fixture
    def servers(self, rag: RagServer, tmp_path: Path) -> Iterator[tuple[ServerProcess, ServerProcess]]:
        """Two, on one PostgreSQL."""
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="maverik-test-"))
            postgres = stack.enter_context(TcpPostgres(Path(folder)))
            variables = {
                **postgres.variables(schema="public"),
                "SECRET_KEY": generate_paserk(),
                "RAG_SERVICE_URL": rag.url,
                "LOCAL_DATA_DIR": str(tmp_path / "data"),
                "PORTFOLIO_OPTIMIZATION_URL": stack.enter_context(OptimizerServer()).url,
            }
            migration = run_forked("migrate", cwd=tmp_path, **variables)
            assert migration.returncode == 0, migration.stderr
            folders = tmp_path / "one", tmp_path / "other"
            for each in folders:
                each.mkdir()
            one, other = (ServerProcess(each, **variables) for each in folders)
            yield stack.enter_context(one), stack.enter_context(other)

    def test_every_turn_reads_as_interrupted_within_the_lease_and_is_answered_once_when_retried(
        self, servers: tuple[ServerProcess, ServerProcess], rag: RagServer, tmp_path: Path
    ) -> None:
        killed, left = servers
        mailbox = tmp_path / "data" / "mailbox"
        people = [sign_up_and_in(killed.url, mailbox).headers for _ in range(2)]
        sessions = [(headers, _open_session(killed.url, headers)) for headers in people for _ in range(STREAMS // 2)]
        asked = len(rag.requests)
        rag.script(*[HANG] * STREAMS)
        with ThreadPoolExecutor(STREAMS) as threads:
            streams = [threads.submit(_read_until_cut, killed.url, *session) for session in sessions]
            rag.wait_for_requests(asked + STREAMS)
            killed.kill()
            began = time.monotonic()
            assert [stream.result(timeout=LEASE_S) for stream in streams] == [False] * STREAMS

        interrupted = [_wait_until_interrupted(left.url, *session) for session in sessions]
        took_s = time.monotonic() - began
        retried = [_retry(left.url, headers, turn) for (headers, _), turn in zip(sessions, interrupted, strict=True)]
        histories = [_turns(left.url, *session) for session in sessions]

        assert took_s < LEASE_S + PATIENCE_S / 2
        assert {turn["estado"] for turn in retried} == {"completada"}
        assert histories == [[turn] for turn in retried]


def _open_session(url: str, headers: dict[str, str]) -> int:
    opened = requests.post(f"{url}/copilot/sessions", json=make_session_body(), headers=headers, timeout=PATIENCE_S)
    session_id: int = opened.json()["id"]
    return session_id


def _read_until_cut(url: str, headers: dict[str, str], session: int) -> bool:
    """Stream a turn; whether the stream came to its end. It may be cut before its first byte has come."""
    body = {"input": "hola"}
    address = f"{url}/copilot/sessions/{session}"
    try:
        with requests.post(address, json=body, headers={**headers, **EVENTS}, stream=True, timeout=PATIENCE_S) as reply:
            stream = EventStream(reply)
            list(stream.parts())
    except requests.RequestException:
        return False
    return stream.is_done


def _turns(url: str, headers: dict[str, str], session: int) -> Any:
    return requests.get(f"{url}/copilot/sessions/{session}", headers=headers, timeout=PATIENCE_S).json()


def _wait_until_interrupted(url: str, headers: dict[str, str], session: int) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while (turn := _turns(url, headers, session)[0])["estado"] != "interrumpida":
        assert time.monotonic() < deadline, turn
        time.sleep(0.1)
    return turn


def _retry(url: str, headers: dict[str, str], turn: Any) -> Any:
    address = f"{url}/copilot/sessions/{turn['sesion_asesoria_id']}/turns/{turn['id']}/retry"
    return requests.post(address, headers=headers, timeout=PATIENCE_S).json()


class TestResumedElsewhere:
    @pytest.fixture
    def advisor(self) -> PacedAdvisor:
        return PacedAdvisor()

    def test_every_text_is_the_one_that_is_stored_wherever_its_client_dropped(
        self, replicas: tuple[Replica, Replica], own_database: Settings
    ) -> None:
        here, there = replicas
        sessions = rows(own_database, OPEN_SESSIONS, count=STREAMS)

        with ThreadPoolExecutor(STREAMS // 4) as threads:
            texts = list(threads.map(lambda session: _drop_and_resume(here, there, session), sessions))

        stored = [here.settled(session) for session in sessions]
        resumed = [
            (text, turn["output_markdown"]) for text, turn in zip(texts, stored, strict=True) if text is not None
        ]
        assert {turn["estado"] for turn in stored} == {"completada"}
        assert [text for text, _ in resumed] == [kept for _, kept in resumed]
        assert len(resumed) > STREAMS // 2


def _drop_and_resume(here: Replica, there: Replica, session: Any) -> str | None:
    """Read a stream for a while, drop it, resume it elsewhere; the text there, ``None`` where the turn was over."""
    message = " ".join(f"palabra{number}" for number in range(WORDS))
    with here.say(session, message) as stream:
        parts = stream.parts()
        for _ in range(random.randrange(2, WORDS // 3)):  # noqa: S311 - guards nothing
            next(parts)
    resumed = there.send("GET", f"{session['id']}/stream")
    if resumed.status_code == 204:
        return None
    with EventStream(resumed) as stream:
        return text_of(list(stream.parts()))
