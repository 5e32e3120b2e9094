"""Three servers on one PostgreSQL are one service: what one of them knows all do, and who goes takes nothing along."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from maverik_backend.core.security import generate_paserk
from maverik_backend.services.limits import LIMITS, Action
from tests.support.fixtures.people import make_profile
from tests.support.forked import run_forked
from tests.support.postgres import TcpPostgres
from tests.support.processes import ServerProcess
from tests.support.servers import MailApiServer, OptimizerServer, RagServer, Reply, Request
from tests.support.talk import CLIENTS, Talk, Tally
from tests.support.waiting import eventually

REPLICAS = 3
ENOUGH_TURNS = 30
MAILS = 12
TOO_MANY = 10
PATIENCE_S = 60.0
THINKS_S = 0.2


class ThinkingRag(RagServer):
    """Takes a moment, so that what ends finds turns under way."""

    def handle(self, request: Request) -> Reply | None:
        time.sleep(THINKS_S)
        return super().handle(request)


class Replicas:
    """The servers that answer; one that ends is replaced, so that each test finds all of them."""

    def __init__(self, folder: Path, variables: dict[str, str], stack: ExitStack) -> None:
        self._folder = folder
        self._variables = variables
        self._stack = stack
        self._numbers = count()
        starting = [self.start() for _ in range(REPLICAS)]
        self.servers = [stack.enter_context(server) for server in starting]

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def start(self) -> ServerProcess:
        """One more, that may not answer yet."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return ServerProcess(folder, **self._variables)

    def replace(self, old: ServerProcess, new: ServerProcess) -> None:
        """As soon as ``new`` answers, it takes the place of ``old``."""
        self.servers[self.servers.index(old)] = self._stack.enter_context(new)


@pytest.fixture(scope="module")
def rag() -> Iterator[RagServer]:
    with ThinkingRag() as rag:
        yield rag


@pytest.fixture(scope="module")
def mails() -> Iterator[MailApiServer]:
    with MailApiServer() as mails:
        yield mails


@pytest.fixture(scope="module")
def database() -> Iterator[TcpPostgres]:
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as postgres:
        yield postgres


@pytest.fixture(scope="module")
def replicas(
    database: TcpPostgres, rag: RagServer, mails: MailApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replicas]:
    folder = tmp_path_factory.mktemp("replicas")
    with OptimizerServer() as optimizer, ExitStack() as stack:
        variables = {
            **database.variables(schema="public"),
            "RATE_LIMIT_STORAGE": "postgres",
            "SECRET_KEY": generate_paserk(),
            "RAG_SERVICE_URL": rag.url,
            "PORTFOLIO_OPTIMIZATION_URL": optimizer.url,
            "SMTP_API_URL": mails.url,
            "SMTP_API_KEY": "x",
            "MAIL_SENDER_ADDRESS": "no-responder@example.com",
            "JOBS_POLL_INTERVAL_S": "0.05",
            "MAIL_TIMEOUT_S": "120",  # one test keeps the mails waiting until all servers deliver
        }
        migration = run_forked("migrate", cwd=folder, **variables)
        assert migration.returncode == 0, migration.stderr
        yield Replicas(folder, variables, stack)


@pytest.fixture
def headers(replicas: Replicas, mails: MailApiServer) -> dict[str, str]:
    """Those of somebody who signed up at one replica and in at another."""
    email = sign_up(replicas.urls[0])
    eventually(lambda: bool(mails.mails_to(email)))
    (clave,) = re.findall(r"^Clave: (\S+)$", mails.mails_to(email)[0]["textContent"], re.MULTILINE)
    login = requests.post(f"{replicas.urls[1]}/user/login", json={"email": email, "clave": clave}, timeout=PATIENCE_S)
    return {"Authorization": f"Bearer {login.json()['access_token']}"}


@pytest.fixture
def talk(replicas: Replicas, headers: dict[str, str]) -> Talk:
    """Somebody's clients, who know every replica."""
    talk = Talk(replicas.urls[0], headers)
    talk.addresses = replicas.urls
    return talk


def sign_up(url: str) -> str:
    form = make_profile()
    requests.post(f"{url}/user/signup", json=form, timeout=PATIENCE_S).raise_for_status()
    return str(form["email"])


def test_a_login_that_ends_at_one_ends_at_all_of_them_at_once(replicas: Replicas, headers: dict[str, str]) -> None:
    def statuses() -> list[int]:
        return [
            requests.get(f"{url}/user/me", headers=headers, timeout=PATIENCE_S).status_code for url in replicas.urls
        ]

    before = statuses()
    requests.post(f"{replicas.urls[0]}/user/logout", headers=headers, timeout=PATIENCE_S).raise_for_status()

    assert (before, statuses()) == ([200] * REPLICAS, [401] * REPLICAS)


def test_a_limit_is_one_limit_for_all_of_them(replicas: Replicas) -> None:
    allowed = LIMITS[Action.LOG_IN_TO_ACCOUNT].amount
    guess = {"email": make_profile()["email"], "clave": "no es esta"}

    def try_at(url: str) -> int:
        return requests.post(f"{url}/user/login", json=guess, timeout=PATIENCE_S).status_code

    with ThreadPoolExecutor(REPLICAS * 2) as pool:
        statuses = Counter(pool.map(try_at, [url for url, _ in zip(cycle(replicas.urls), range(allowed + TOO_MANY))]))

    assert statuses == {401: allowed, 429: TOO_MANY}


def test_one_key_sent_to_two_of_them_at_once_is_one_turn_with_one_answer(
    replicas: Replicas, talk: Talk, rag: RagServer
) -> None:
    session = talk.open_session()

    def insist_at(url: str) -> Any:
        """As a client does: repeated until it is answered."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            response = post(url, talk, session, "hola una sola vez", key="una-sola-vez")
            if response.ok:
                return response.json()
            assert response.status_code == 409
            time.sleep(0.02)
        raise AssertionError("no answer")

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(insist_at, replicas.urls[:2])

    assert one == other
    assert talk.history() == [one]
    assert len([request for request in rag.requests if "hola una sola vez" in str(request.json)]) == 1


def test_of_two_turns_at_once_in_a_session_one_is_refused(replicas: Replicas, talk: Talk, rag: RagServer) -> None:
    session = talk.open_session()
    refused = threading.Event()
    rag.default = lambda request: replace(rag.answer(request), once=refused)

    def say(url: str) -> int:
        status = post(url, talk, session, f"hola en {url}", key=f"hola-{url[-5:]}").status_code
        refused.set()
        return status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(say, replicas.urls[:2])) == [200, 409]
    assert len(talk.history()) == 1


def test_every_mail_leaves_once_though_all_of_them_deliver(replicas: Replicas, mails: MailApiServer) -> None:
    all_deliver = threading.Event()
    mails.default = lambda request: replace(mails.answer(request), once=all_deliver)
    seen = len(mails.requests)
    with ThreadPoolExecutor(REPLICAS) as pool:
        emails = list(pool.map(sign_up, [url for url, _ in zip(cycle(replicas.urls), range(MAILS))]))
    mails.wait_for_requests(seen + REPLICAS)
    all_deliver.set()

    eventually(lambda: all(mails.mails_to(email) for email in emails))
    eventually(lambda: backlog(replicas) == 0)
    assert {email: len(mails.mails_to(email)) for email in emails} == dict.fromkeys(emails, 1)


def test_one_that_is_killed_under_load_takes_nothing_along(replicas: Replicas, talk: Talk) -> None:
    victim = replicas.servers[0]
    with talk.going_on():
        talk.wait_for_acknowledged(ENOUGH_TURNS)
        victim.kill()
        talk.wait_for_acknowledged(ENOUGH_TURNS)
        talk.end()
    replicas.replace(victim, replicas.start())
    talk.addresses = replicas.urls

    tally = tally_of(talk)
    assert tally.is_exact, tally
    assert tally.acknowledged >= 2 * ENOUGH_TURNS
    assert tally.unanswered <= CLIENTS
    assert talk.cut_off > 0


def test_a_rolling_restart_under_load_leaves_no_turn_unanswered(replicas: Replicas, talk: Talk) -> None:
    statuses = []
    with talk.going_on():
        for old in list(replicas.servers):
            talk.wait_for_acknowledged(ENOUGH_TURNS // REPLICAS)
            new = replicas.start()
            statuses.append(old.stop())
            replicas.replace(old, new)
            talk.addresses = replicas.urls
        talk.wait_for_acknowledged(ENOUGH_TURNS)
        talk.end()

    tally = tally_of(talk)
    assert statuses == [0] * REPLICAS
    assert tally.is_exact, tally
    assert tally.unanswered == 0
    assert {turn["estado"] for turn in talk.history()} == {"completada"}


def post(url: str, talk: Talk, session: int, said: str, *, key: str) -> requests.Response:
    headers = {**talk.headers, "Idempotency-Key": key}
    return requests.post(f"{url}/copilot/sessions/{session}", json={"input": said}, headers=headers, timeout=PATIENCE_S)


def backlog(replicas: Replicas) -> int:
    dependencies = requests.get(f"{replicas.urls[0]}/health", timeout=PATIENCE_S).json()["dependencies"]
    return int(dependencies["mail"]["backlog"])


def tally_of(talk: Talk) -> Tally:
    tally = talk.tally(talk.history())
    print(tally)  # noqa: T201 - shown by `pytest -s`
    return tally
