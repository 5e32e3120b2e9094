"""`maverik serve --workers 2`: one socket, two processes, nothing lost when either goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.processes import ServerProcess, run_maverik
from tests.support.servers import OptimizerServer, RagServer, Reply
from tests.support.talk import Talk
from tests.support.waiting import eventually

PATIENCE_S = 60.0


@pytest.fixture
def rag() -> Iterator[RagServer]:
    with RagServer() as rag:
        yield rag


@pytest.fixture
def server(own_folder: Path, rag: RagServer) -> Iterator[ServerProcess]:
    """Two workers that each take one turn at a time, over the embedded PostgreSQL."""
    variables = {"RAG_SERVICE_URL": rag.url, "RATE_LIMIT_STORAGE": "postgres", "MAX_CONCURRENT_TURNS": "1"}
    with (
        OptimizerServer() as optimizer,
        ServerProcess(own_folder, "--workers", "2", PORTFOLIO_OPTIMIZATION_URL=optimizer.url, **variables) as server,
    ):
        eventually(lambda: starts(server) == 2)  # it answers as soon as the first has
        yield server


def starts(server: ServerProcess) -> int:
    return server.output().count('"started"')


def workers(server: ServerProcess) -> set[psutil.Process]:
    return {child for child in psutil.Process(server.pid).children() if is_worker(child)}


def is_worker(child: psutil.Process) -> bool:
    """Whether it serves; a helper of Python's own does not, nor does one that has ended."""
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except psutil.NoSuchProcess:
        return False


def say(talk: Talk, session: int) -> requests.Response:
    """The answer to one message, which a worker that is busy refuses: then another connection is tried."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        response = talk.post(session, f"hola {session}")
        if response.status_code != 503 or time.monotonic() > deadline:
            return response
        time.sleep(0.02)


def test_both_work_at_the_same_time(own_folder: Path, server: ServerProcess, rag: RagServer) -> None:
    talk = Talk.begin(server, own_folder)
    sessions = [talk.open_session() for _ in range(2)]
    both_asked = threading.Event()
    rag.script(*[Reply.json({"response": "Hola"}, once=both_asked)] * 2)

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(say, talk, session) for session in sessions]
        rag.wait_for_requests(2, timeout_s=PATIENCE_S)
        both_asked.set()

    assert [answer.result().status_code for answer in answers] == [200, 200]


def test_asked_to_stop_they_finish_the_turn_under_way_and_exit_with_0(
    own_folder: Path, server: ServerProcess, rag: RagServer
) -> None:
    talk = Talk.begin(server, own_folder)
    session = talk.open_session()
    stopping = threading.Event()
    rag.script(Reply.json({"response": "Hola"}, once=stopping))

    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(say, talk, session)
        rag.wait_for_requests(1)
        status = pool.submit(server.stop)
        eventually(lambda: server.output().count('"stopping"') == 2)
        stopping.set()

    assert answer.result().json()["estado"] == "completada"
    assert status.result() == 0


def test_one_that_is_killed_is_replaced(server: ServerProcess) -> None:
    before = workers(server)
    victim = next(iter(before))

    victim.kill()

    eventually(lambda: starts(server) == 3)
    assert len(workers(server)) == 2
    assert len(workers(server) - before) == 1
    assert requests.get(f"{server.url}/health", timeout=PATIENCE_S).ok


def test_they_do_not_outlive_the_process_that_started_them(server: ServerProcess) -> None:
    orphans = workers(server)

    server.kill()

    _, alive = psutil.wait_procs(orphans, timeout=PATIENCE_S)
    assert alive == []


def test_counting_tries_apart_is_refused(own_folder: Path) -> None:
    result = run_maverik("serve", "--workers", "2", cwd=own_folder, DB_HOST="127.0.0.1", DB_USERNAME="x")

    assert result.returncode == 2
    assert "RATE_LIMIT_STORAGE=memory would let --workers 2 count tries apart" in result.stderr


def test_when_none_can_start_all_end_with_a_sentence(own_folder: Path) -> None:
    database = {"DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_USERNAME": "x", "DB_SSL_MODE": "verify-full"}
    variables = {**database, "DB_SSL_ROOT_CERT": "nowhere.pem", "RATE_LIMIT_STORAGE": "postgres", "PORT": "0"}

    result = run_maverik("serve", "--workers", "2", cwd=own_folder, **variables)

    assert result.returncode == 1
    assert "DB_SSL_ROOT_CERT cannot be used: No such file or directory." in result.stderr
    assert "Traceback" not in result.stderr
