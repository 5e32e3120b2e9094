"""The server ended in the middle of conversations: what was acknowledged is there, exactly once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.deadline import Deadline
from tests.fixtures.people import key_in, make_profile, make_session_body
from tests.processes import ServerProcess
from tests.servers import HANG, OptimizerServer, RagServer

CLIENTS = 6
ENOUGH_TURNS = 60
LEAVING_S = 15.0  # one second of grace, and a busy machine


@dataclass
class Talk:
    """Clients that each talk in a session of their own, and every answer that reached them."""

    address: str
    headers: dict[str, str]
    sessions: list[int]
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    enough: threading.Event = field(default_factory=threading.Event)

    def run(self, client: int) -> None:
        """Talk until the server is gone (or says that it is going)."""
        with requests.Session() as http:
            http.headers.update(self.headers)
            for number in range(10 * ENOUGH_TURNS):
                said = f"cliente {client}, mensaje {number}"
                self.sent.add(said)
                try:
                    response = http.post(self._url(self.sessions[client]), json={"input": said}, timeout=30)
                except requests.RequestException:
                    return
                if not response.ok:
                    return
                self.acknowledged[said] = response.json()
                if len(self.acknowledged) >= ENOUGH_TURNS:
                    self.enough.set()

    def histories(self, address: str) -> list[dict[str, Any]]:
        """Every turn of every session, as a server at ``address`` tells it."""
        self.address = address
        return [
            turn
            for session in self.sessions
            for turn in requests.get(self._url(session), headers=self.headers, timeout=30).json()
        ]

    def _url(self, session: int) -> str:
        return f"{self.address}/copilot/sessions/{session}"


@pytest.fixture
def rag() -> Iterator[RagServer]:
    with RagServer() as rag:
        yield rag


@pytest.fixture
def services(rag: RagServer) -> Iterator[dict[str, str]]:
    """Settings that send the server to a RAG service and an optimiser of the test's own."""
    with OptimizerServer() as optimizer:
        yield {"RAG_SERVICE_URL": rag.url, "PORTFOLIO_OPTIMIZATION_URL": optimizer.url}


def begin_to_talk(server: ServerProcess, folder: Path) -> Talk:
    """Somebody signed in, with a session for each client."""
    form = make_profile()
    requests.post(f"{server.url}/user/signup", json=form, timeout=10).raise_for_status()
    mailbox = LocalMailbox(folder / "data" / "mailbox", sender=Sender(name="x", address="x@example.com"))
    key = key_in(mailbox.wait_for_mail(form["email"], deadline=Deadline.after(20)))
    login = requests.post(f"{server.url}/user/login", json={"email": form["email"], "clave": key}, timeout=10).json()
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    opened = [
        requests.post(f"{server.url}/copilot/sessions", json=make_session_body(), headers=headers, timeout=10).json()
        for _ in range(CLIENTS)
    ]
    return Talk(address=server.url, headers=headers, sessions=[session["id"] for session in opened])


def assert_nothing_lost_or_doubled(talk: Talk, turns: list[dict[str, Any]]) -> None:
    said = Counter(turn["input"] for turn in turns)
    kept = {turn["input"]: turn for turn in turns}
    assert {text for text, times in said.items() if times > 1} == set()
    assert {text for text in talk.acknowledged if kept.get(text) != talk.acknowledged[text]} == set()
    assert set(kept) <= talk.sent
    assert len(talk.acknowledged) >= ENOUGH_TURNS


def test_turns_that_do_not_end_within_the_grace_are_marked_and_the_server_leaves(
    own_folder: Path, services: dict[str, str], rag: RagServer
) -> None:
    with (
        ServerProcess(own_folder, **services, SHUTDOWN_GRACE_S="1") as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        talk = begin_to_talk(server, own_folder)
        rag.script(HANG)
        pool.submit(talk.run, 0)
        rag.wait_for_requests(1)
        began = time.monotonic()
        assert server.stop() == 0
        took_s = time.monotonic() - began

    with ServerProcess(own_folder, **services) as server:
        (turn,) = talk.histories(server.url)
    assert turn["estado"] == "interrumpida"
    assert took_s < LEAVING_S


def test_a_server_killed_under_load_keeps_every_acknowledged_turn_once(
    own_folder: Path, services: dict[str, str]
) -> None:
    with ServerProcess(own_folder, **services) as server, ThreadPoolExecutor(CLIENTS) as pool:
        talk = begin_to_talk(server, own_folder)
        for client in range(CLIENTS):
            pool.submit(talk.run, client)
        assert talk.enough.wait(timeout=60)
        server.kill()

    with ServerProcess(own_folder, **services) as server:
        assert_nothing_lost_or_doubled(talk, talk.histories(server.url))


def test_a_server_asked_to_stop_under_load_finishes_its_turns_and_exits_with_0(
    own_folder: Path, services: dict[str, str]
) -> None:
    with ServerProcess(own_folder, **services) as server, ThreadPoolExecutor(CLIENTS) as pool:
        talk = begin_to_talk(server, own_folder)
        for client in range(CLIENTS):
            pool.submit(talk.run, client)
        assert talk.enough.wait(timeout=60)
        assert server.stop() == 0

    with ServerProcess(own_folder, **services) as server:
        turns = talk.histories(server.url)
        assert_nothing_lost_or_doubled(talk, turns)
        assert {turn["estado"] for turn in turns} == {"completada"}
