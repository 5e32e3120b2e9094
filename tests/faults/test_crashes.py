"""The server, or its database, ended in the middle of conversations: what was acknowledged is there, exactly once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from tests.support.forked import run_forked
from tests.support.postgres import TcpPostgres
from tests.support.processes import ServerProcess
from tests.support.servers import HANG, OptimizerServer, RagServer, Reply, Request
from tests.support.talk import CLIENTS, Talk

ENOUGH_TURNS = 60
LEAVING_S = 30.0  # one second of grace, and a busy machine; the turn would take 50
OUTAGE_S = 2.5
RECOVERY_S = 20.0  # a busy machine's; the clients of the test would wait for 90
AWAY = (503, "service unavailable", True)
LEFT_BEHIND = (409, "turn in progress", True)
THINKS_AT_MOST_S = 0.1


class ThinkingRag(RagServer):
    """Takes its time, so that what ends finds turns at every point of their life."""

    def handle(self, request: Request) -> Reply | None:
        time.sleep(random.uniform(0, THINKS_AT_MOST_S))  # noqa: S311 - guards nothing
        return super().handle(request)


@pytest.fixture
def rag() -> Iterator[RagServer]:
    with ThinkingRag() as rag:
        yield rag


@pytest.fixture
def services(rag: RagServer) -> Iterator[dict[str, str]]:
    """Settings that send the server to a RAG service and an optimiser of the test's own."""
    with OptimizerServer() as optimizer:
        yield {"RAG_SERVICE_URL": rag.url, "PORTFOLIO_OPTIMIZATION_URL": optimizer.url}


@pytest.fixture
def postgres() -> Iterator[TcpPostgres]:
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as postgres:
        yield postgres


def assert_everything_is_there_once(talk: Talk, history: list[dict[str, Any]]) -> None:
    tally = talk.tally(history)
    print(tally)  # noqa: T201 - shown by `pytest -s`
    assert tally.is_exact, tally
    assert tally.acknowledged >= 2 * ENOUGH_TURNS, tally
    assert tally.unanswered <= CLIENTS, tally


def test_turns_that_do_not_end_within_the_grace_are_marked_and_the_server_leaves(
    own_folder: Path, services: dict[str, str], rag: RagServer
) -> None:
    with (
        ServerProcess(own_folder, **services, SHUTDOWN_GRACE_S="1") as server,
        ThreadPoolExecutor(1) as pool,
    ):
        talk = Talk.begin(server, own_folder)
        asked = len(rag.requests)
        rag.script(HANG)
        pool.submit(talk.post, talk.open_session(), "hola")
        rag.wait_for_requests(asked + 1)
        began = time.monotonic()
        assert server.stop() == 0
        took_s = time.monotonic() - began

    with ServerProcess(own_folder, **services) as server:
        talk.address = server.url
        (turn,) = talk.history()
    assert turn["estado"] == "interrumpida"
    assert took_s < LEAVING_S


def test_a_server_killed_under_load_keeps_every_turn_once(own_folder: Path, services: dict[str, str]) -> None:
    with ServerProcess(own_folder, **services) as first:
        talk = Talk.begin(first, own_folder)
        with talk.going_on():
            talk.wait_for_acknowledged(ENOUGH_TURNS)
            first.kill()
            with ServerProcess(own_folder, **services) as second:
                talk.address = second.url
                talk.wait_for_acknowledged(ENOUGH_TURNS)
                talk.end()
                assert_everything_is_there_once(talk, talk.history())
    assert talk.cut_off > 0


def test_a_server_asked_to_stop_under_load_finishes_its_turns_and_exits_with_0(
    own_folder: Path, services: dict[str, str]
) -> None:
    with ServerProcess(own_folder, **services) as first:
        talk = Talk.begin(first, own_folder)
        with talk.going_on():
            talk.wait_for_acknowledged(ENOUGH_TURNS)
            assert first.stop() == 0
            with ServerProcess(own_folder, **services) as second:
                talk.address = second.url
                talk.wait_for_acknowledged(ENOUGH_TURNS)
                talk.end()
                turns = talk.history()
                assert_everything_is_there_once(talk, turns)
    assert {turn["estado"] for turn in turns} == {"completada"}


class TestTheDatabase:
    @pytest.fixture
    def variables(self, own_folder: Path, services: dict[str, str], postgres: TcpPostgres) -> dict[str, str]:
        """The environment of a server that keeps its tables in ``postgres``, where they are already."""
        variables = {**services, **postgres.variables(schema="asesoria")}
        migration = run_forked("migrate", cwd=own_folder, **variables)
        assert migration.returncode == 0, migration.stderr
        return variables

    def test_one_that_crashes_under_load_keeps_every_turn_once_and_is_found_again(
        self, own_folder: Path, variables: dict[str, str], postgres: TcpPostgres
    ) -> None:
        with ServerProcess(own_folder, **variables) as server:
            talk = Talk.begin(server, own_folder)
            session = talk.open_session()
            with talk.going_on():
                talk.wait_for_acknowledged(ENOUGH_TURNS)
                postgres.crash()
                during = talk.post(session, "mientras tanto")
                time.sleep(OUTAGE_S)
                postgres.start()
                began = time.monotonic()
                after = talk.post(session, "mientras tanto")
                took_s = time.monotonic() - began
                talk.wait_for_acknowledged(ENOUGH_TURNS)
                talk.end()
            assert_everything_is_there_once(talk, talk.history())

        assert kind_of(during) == AWAY
        assert (after.status_code, talk.cut_off) == (200, 0)
        assert took_s < RECOVERY_S
        assert {kind_of(refusal) for refusal in talk.refusals} <= {AWAY, LEFT_BEHIND}

    def test_an_answer_that_comes_while_it_is_away_waits_for_it(
        self, own_folder: Path, variables: dict[str, str], postgres: TcpPostgres, rag: RagServer
    ) -> None:
        may_answer = threading.Event()
        with ServerProcess(own_folder, **variables) as server, ThreadPoolExecutor(1) as pool:
            talk = Talk.begin(server, own_folder)
            asked = len(rag.requests)  # whether it is there
            rag.script(Reply.json({"response": "Conviene ahorrar."}, once=may_answer))
            turn = pool.submit(talk.post, talk.open_session(), "hola")
            rag.wait_for_requests(asked + 1)
            postgres.crash()
            may_answer.set()
            time.sleep(OUTAGE_S)
            postgres.start()

            assert turn.result().json()["estado"] == "completada"
            assert talk.history() == [turn.result().json()]


def kind_of(refusal: requests.Response) -> tuple[int, str, bool]:
    """Status, name and whether it says when to come back; only a problem has a name."""
    assert refusal.headers["Content-Type"] == "application/problem+json"
    return refusal.status_code, refusal.json()["error"], "Retry-After" in refusal.headers
