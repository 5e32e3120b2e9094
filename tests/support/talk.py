"""People who talk to a server that is ended, or whose database is, meanwhile; and the count of what they said."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Self

import requests

from maverik_backend.core.deadline import Deadline
from tests.support.fixtures.people import make_session_body
from tests.support.processes import ServerProcess
from tests.support.signing_in import sign_up_and_in

CLIENTS = 6
PATIENCE_S = 60.0
_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Messages, counted. ``lost`` were acknowledged and are not there, or not as they were acknowledged; ``doubled``
    are there more than once; ``missing`` were accepted (if not answered) and are not there; ``unknown`` never sent.
    """

    acknowledged: int
    unanswered: int
    lost: int
    doubled: int
    missing: int
    unknown: int

    @property
    def is_exact(self) -> bool:
        return not (self.lost or self.doubled or self.missing or self.unknown)


class Talk:
    """Clients that each talk in a session of their own, as good ones do: a message has a key, and is repeated with it
    until it is answered. One whose turn is on record but left behind unanswered goes on in another session.

    ``addresses`` are those of the servers: each request goes to one of them, its repetition perhaps to another.
    ``refusals`` are the answers other than 200; ``cut_off`` counts requests without any.
    """

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.addresses = [address]
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.refusals: list[requests.Response] = []
        self.cut_off = 0
        self.headers = headers
        self._sent: set[str] = set()
        self._sessions: list[int] = []
        self._clients: list[Future[None]] = []
        self._over = threading.Event()

    @classmethod
    def begin(cls, server: ServerProcess, folder: Path) -> Self:
        """A person who signed up and in at ``server``, which keeps its mailbox in ``folder``."""
        return cls(server.url, sign_up_and_in(server.url, folder / "data" / "mailbox").headers)

    @property
    def address(self) -> str:
        return random.choice(self.addresses)  # noqa: S311 - guards nothing

    @address.setter
    def address(self, address: str) -> None:
        self.addresses = [address]

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """The clients talk while the block runs."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            self._clients = [pool.submit(self._talk, client) for client in range(CLIENTS)]
            try:
                yield
            finally:
                self._over.set()

    def end(self) -> None:
        """Let each client get an answer to what it said last, and no more."""
        self._over.set()
        for client in self._clients:
            client.result()

    def wait_for_acknowledged(self, more: int) -> None:
        """Until so many ``more`` messages are answered."""
        number = len(self.acknowledged) + more
        deadline = Deadline.after(PATIENCE_S)
        while len(self.acknowledged) < number:
            assert not deadline.passed, f"{len(self.acknowledged)} of {number} in {PATIENCE_S} s"
            time.sleep(_PAUSE_S / 10)

    def open_session(self) -> int:
        body = make_session_body()
        response = requests.post(
            f"{self.address}/copilot/sessions", json=body, headers=self.headers, timeout=PATIENCE_S
        )
        response.raise_for_status()
        session: int = response.json()["id"]
        self._sessions.append(session)
        return session

    def post(self, session: int, said: str) -> requests.Response:
        self._sent.add(said)
        headers = {**self.headers, "Idempotency-Key": said.replace(" ", "-")}
        response = requests.post(self._url(session), json={"input": said}, headers=headers, timeout=90)
        if response.ok:
            self.acknowledged[said] = response.json()
        else:
            self.refusals.append(response)
        return response

    def history(self) -> list[dict[str, Any]]:
        """Every turn of every session."""
        return [
            turn
            for session in self._sessions
            for turn in requests.get(self._url(session), headers=self.headers, timeout=PATIENCE_S).json()
        ]

    def tally(self, history: list[dict[str, Any]]) -> Tally:
        times = Counter(turn["input"] for turn in history)
        kept = {turn["input"]: turn for turn in history}
        return Tally(
            acknowledged=len(self.acknowledged),
            unanswered=len(self._sent) - len(self.acknowledged),
            lost=sum(kept.get(said) != turn for said, turn in self.acknowledged.items()),
            doubled=sum(number > 1 for number in times.values()),
            missing=len(self._sent - set(kept)),
            unknown=len(set(kept) - self._sent),
        )

    def _talk(self, client: int) -> None:
        session = self._insist(self.open_session)
        for number in count():
            if self._over.is_set():
                return
            status = self._insist(partial(self._say, session, f"cliente {client} mensaje {number}"))
            if status == requests.codes.conflict:
                session = self._insist(self.open_session)

    def _say(self, session: int, said: str) -> int | None:
        """200, 409 when it is on record and its process is gone, or ``None`` when it must be repeated."""
        status = self.post(session, said).status_code
        return status if status in {requests.codes.ok, requests.codes.conflict} else None

    def _insist(self, ask: Callable[[], int | None]) -> int:
        """What ``ask`` returns, as soon as it returns something."""
        deadline = Deadline.after(PATIENCE_S)
        while not deadline.passed:
            try:
                answer = ask()
            except requests.RequestException:
                self.cut_off += 1
            else:
                if answer is not None:
                    return answer
            time.sleep(_PAUSE_S)
        raise AssertionError(f"no answer in {PATIENCE_S} s")

    def _url(self, session: int) -> str:
        return f"{self.address}/copilot/sessions/{session}"
