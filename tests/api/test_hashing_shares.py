"""No address takes all the processors for hashing: shares by address, and an end to waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from itertools import islice
from threading import Lock, Semaphore
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.registry import Clients
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.security import PasswordHasher
from maverik_backend.errors import AddressBusy
from maverik_backend.services.accounts import Hashing
from maverik_backend.services.accounts.hashing import MAX_AT_ONCE, MAX_PER_ADDRESS
from maverik_backend.services.limits import LIMITS, Action, FairQueue, Share
from maverik_backend.settings import Settings
from maverik_backend.web.resources import Resources, resources_of
from tests.support.fixtures.application import MakeApp
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import TestUser, make_profile
from tests.support.waiting import waiting_in

FLOOD = LIMITS[Action.LOG_IN_FROM_ADDRESS].amount - 5
PATIENCE_S = 60
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"
KNOWN, KEY, WRONG = "ana@example.com", "la clave de Ana", "otra clave"


class GatedHasher(PasswordHasher):
    """Verifies :data:`WRONG` only as often as :attr:`gate` allows; ``verified`` are the passwords, in their order."""

    def __init__(self) -> None:
        super().__init__(memory_kib=8, passes=1)
        self.gate = Semaphore(0)
        self.at_gate = Semaphore(0)
        self.verified: list[str] = []
        self._lock = Lock()

    def verify(self, password_hash: str | None, password: str) -> bool:
        with self._lock:
            self.verified.append(password)
        if password == WRONG:
            self.at_gate.release()
            assert self.gate.acquire(timeout=PATIENCE_S)
        return super().verify(password_hash, password)


def hashing_of(resources: Resources) -> Hashing:
    return resources.passwords._hashing  # noqa: SLF001 - what routes wait for has no other sign


class Flood:
    """An application with one account, and clients that sign in at it at the same time."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self.hasher = GatedHasher()
        security = settings.security.model_copy(update={"trusted_proxy_count": 1})
        self._app = create_app(settings.model_copy(update={"security": security}), clients=clients, hasher=self.hasher)
        insert = "INSERT INTO usuario (email, clave_hash) VALUES (:email, :hash)"
        rows(settings, insert, email=KNOWN, hash=self.hasher.hash(KEY))
        self._pool = ThreadPoolExecutor(FLOOD + 1)
        self.queue: FairQueue = hashing_of(resources_of(self._app))._queue  # noqa: SLF001
        self.slots = self.queue._free  # noqa: SLF001

    def log_in(self, email: str, key: str, *, address: str = HOME) -> Future[Any]:
        return self._pool.submit(self._log_in, email, key, address)

    def begin(self) -> tuple[list[Future[Any]], list[Any]]:
        """Many wrong logins at once from one address: all of them, and the answers of those that are refused."""
        logins = [self.log_in(f"p{number}@example.com", WRONG) for number in range(FLOOD)]
        refused = islice(as_completed(logins, timeout=PATIENCE_S), FLOOD - MAX_PER_ADDRESS)
        answers = [login.result() for login in refused]
        for _ in range(min(self.slots, MAX_PER_ADDRESS)):
            assert self.hasher.at_gate.acquire(timeout=PATIENCE_S)
        return logins, answers

    @property
    def connections_in_use(self) -> int:
        pool = resources_of(self._app).database.bind.engine.pool
        return int(pool.checkedout())  # type: ignore[attr-defined] # a QueuePool

    def close(self) -> None:
        self.hasher.gate.release(FLOOD)
        self._pool.shutdown()
        resources_of(self._app).close(grace_s=PATIENCE_S)

    def _log_in(self, email: str, key: str, address: str) -> Any:
        client = TestClient(self._app, raise_server_exceptions=False)
        headers = {"X-Forwarded-For": address}
        return client.post("/user/login", json={"email": email, "clave": key}, headers=headers)


@pytest.fixture
def flood(own_database: Settings, clients: Clients) -> Iterator[Flood]:
    flood = Flood(own_database, clients)
    yield flood
    flood.close()


class TestAnAddressThatSendsManyAtOnce:
    def test_has_a_share_of_what_waits_and_the_rest_is_refused_at_once(self, flood: Flood) -> None:
        _, refused = flood.begin()

        told = Counter(
            (answer.status_code, answer.json()["error"], "Retry-After" in answer.headers) for answer in refused
        )
        assert told == {(429, "address busy", True): FLOOD - MAX_PER_ADDRESS}
        assert sum(waiting_in(flood.queue).values()) == max(0, MAX_PER_ADDRESS - flood.slots)

    def test_delays_another_by_one_of_its_own_at_a_time(self, flood: Flood) -> None:
        logins, refused = flood.begin()
        waiting = sum(waiting_in(flood.queue).values())
        if not waiting:
            pytest.skip("so many processors that nothing waits")
        other = flood.log_in(KNOWN, KEY, address=ELSEWHERE)
        assert waiting_in(flood.queue, until=waiting + 1)[ELSEWHERE] == 1

        flood.hasher.gate.release(2)  # one of the flood has its turn, then the other address

        assert other.result(PATIENCE_S).status_code == 200
        assert flood.hasher.verified.count(WRONG) <= flood.slots + 2
        assert sum(login.done() for login in logins) <= len(refused) + 2

    def test_is_answered_in_the_end_as_far_as_it_was_taken(self, flood: Flood) -> None:
        logins, _ = flood.begin()

        flood.hasher.gate.release(MAX_PER_ADDRESS)

        statuses = Counter(login.result(PATIENCE_S).status_code for login in logins)
        assert statuses == {401: MAX_PER_ADDRESS, 429: FLOOD - MAX_PER_ADDRESS}
        assert flood.log_in(KNOWN, KEY).result(PATIENCE_S).status_code == 200

    def test_holds_no_connection_while_it_waits(self, flood: Flood) -> None:
        flood.begin()

        assert flood.connections_in_use == 0


@contextmanager
def taken(resources: Resources, places: Mapping[str, int]) -> Iterator[None]:
    """So many requests of each address wait for hashing, or hash."""
    concurrency = hashing_of(resources)._concurrency  # noqa: SLF001 - without a thread for each
    with ExitStack() as held:
        for address, count in places.items():
            share = Share(kind="address", key=address, limit=MAX_PER_ADDRESS, refusal=AddressBusy)
            for _ in range(count):
                held.enter_context(concurrency.slot(share))
        yield


TESTCLIENT = ClientInfo(address="testclient").limit_address
BUSY = {TESTCLIENT: MAX_PER_ADDRESS}
FULL = {f"192.0.2.{number}": MAX_PER_ADDRESS for number in range(MAX_AT_ONCE // MAX_PER_ADDRESS)}


@pytest.fixture
def disabled(user: TestUser, connection: Connection) -> TestUser:
    connection.execute(text("UPDATE usuario SET deshabilitado = now() WHERE email = :e"), {"e": user.email})
    return user


class CountingHasher(PasswordHasher):
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        super().__init__(memory_kib=8, passes=1)

    def hash(self, password: str) -> str:
        self.asked += 1
        return super().hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.asked += 1
        return super().verify(password_hash, password)


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def app(make_app: MakeApp, hasher: CountingHasher) -> FastAPI:
    return make_app(hasher=hasher)


@pytest.mark.parametrize(
    ("places", "told"), [(BUSY, (429, "address busy")), (FULL, (503, "overloaded"))], ids=["429", "503"]
)
def test_a_refusal_does_not_depend_on_the_account(
    api: TestClient,
    resources: Resources,
    make_user: Callable[[], TestUser],
    disabled: TestUser,
    hasher: CountingHasher,
    places: dict[str, int],
    told: tuple[int, str],
) -> None:
    user = make_user()
    before = hasher.asked
    tries = [(user.email, user.key), (user.email, WRONG), ("nadie@example.com", WRONG), (disabled.email, disabled.key)]

    with taken(resources, places):
        answers = [api.post("/user/login", json={"email": email, "clave": key}) for email, key in tries]

    assert {(answer.status_code, answer.content) for answer in answers} == {(told[0], answers[0].content)}
    assert answers[0].json()["error"] == told[1]
    assert hasher.asked == before
    assert f'maverik_logins_total{{outcome="busy"}} {len(tries)}.0' in resources.metrics.render().decode()


# What each of these hashes is refused in the same way, whatever else is wrong with it.
HASHING: dict[str, tuple[str, str, dict[str, Any]]] = {
    "log_in": ("POST", "/user/login", {"email": KNOWN, "clave": KEY}),
    "sign_up": ("POST", "/user/signup", make_profile()),
    "resend_key": ("POST", "/user/email/resend", {"email": KNOWN}),
    "reset_password": ("POST", "/user/password/reset", {"token": "x", "clave_nueva": KEY}),
    "change_password": ("PUT", "/user/password", {"clave_actual": KEY, "clave_nueva": KEY}),
    "delete_me": ("DELETE", "/user/me", {"clave": KEY}),
    "start_second_factor": ("POST", "/user/second-factor", {"clave": KEY}),
    "renew_recovery_codes": ("POST", "/user/second-factor/recovery-codes", {"clave": KEY, "codigo": "123456"}),
    "remove_second_factor": ("DELETE", "/user/second-factor", {"clave": KEY, "codigo": "123456"}),
}
OF_TURNS = {"create_turn", "retry_turn", "stream_turn", "export_me"}


@pytest.mark.parametrize("name", HASHING)
def test_every_route_that_hashes_has_its_share(
    user: TestUser, resources: Resources, hasher: CountingHasher, name: str
) -> None:
    method, path, body = HASHING[name]
    before = hasher.asked

    with taken(resources, BUSY):
        answer = user.request(method, path, json=body)

    assert (answer.status_code, answer.json()["error"]) == (429, "address busy")
    assert hasher.asked == before


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/clave/nueva", {"token": "x", "clave_nueva": KEY, "clave_repetida": KEY}),
        ("/clave/cambiar", {"email": KNOWN, "clave_actual": KEY, "clave_nueva": KEY, "clave_repetida": KEY}),
    ],
)
def test_so_have_our_own_pages(
    api: TestClient, resources: Resources, hasher: CountingHasher, path: str, form: dict[str, str]
) -> None:
    before = hasher.asked

    with taken(resources, BUSY):
        answer = api.post(path, data=form)

    assert answer.status_code == 429
    assert hasher.asked == before


def test_all_of_them_say_so(app: FastAPI) -> None:
    said = {
        operation["operationId"]
        for path in app.openapi()["paths"].values()
        for operation in path.values()
        if "address-busy" in str(operation["responses"].get("429"))
    }

    assert said - OF_TURNS == set(HASHING)
