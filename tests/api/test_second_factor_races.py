"""What happens at once, against a database in which several connections really commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from starlette.testclient import TestClient

from maverik_backend.core.database import Database
from maverik_backend.settings import Settings
from tests.support.fixtures.application import Clock, MakeApp
from tests.support.fixtures.database import connected, rows
from tests.support.fixtures.people import TestUser
from tests.support.fixtures.second_factor import Phone, confirm, start

AT_ONCE = 4


@pytest.fixture
def settings(own_database: Settings, tmp_path: Path) -> Settings:
    app = own_database.app.model_copy(update={"local_data_dir": tmp_path})
    return own_database.model_copy(update={"app": app})


@pytest.fixture
def database(own_database: Settings) -> Iterator[Database]:
    with connected(own_database) as database:
        yield database


@pytest.fixture
def replicas(make_app: MakeApp) -> list[TestClient]:
    """Several applications over one database."""
    replicas = [TestClient(make_app(), raise_server_exceptions=False) for _ in range(AT_ONCE)]
    for (
        replica
    ) in replicas:  # the framework completes routes with the first request, by ways that only one thread may take
        assert replica.get("/nada").status_code == 404
    return replicas


def at_once(replicas: list[TestClient], send: Callable[[TestClient], Any]) -> Counter[int]:
    """The statuses of what every replica answers to the same request, sent to all of them at the same time."""
    ready = Barrier(len(replicas))

    def one(replica: TestClient) -> int:
        ready.wait(timeout=60)
        return int(send(replica).status_code)

    with ThreadPoolExecutor(len(replicas)) as pool:
        return Counter(pool.map(one, replicas))


@pytest.mark.parametrize("how", ["app", "recovery"])
def test_of_uses_of_one_code_at_once_on_several_replicas_one_succeeds(
    replicas: list[TestClient], user: TestUser, phone: Phone, how: str
) -> None:
    code = phone.next_code() if how == "app" else phone.recovery_codes[0]
    body = {"email": user.email, "clave": user.key, "codigo": code}

    assert at_once(replicas, lambda api: api.post("/user/login", json=body)) == {200: 1, 401: AT_ONCE - 1}


def test_of_a_login_and_a_removal_with_one_code_at_once_one_uses_it(
    replicas: list[TestClient], user: TestUser, phone: Phone
) -> None:
    both = {"clave": user.key, "codigo": phone.next_code()}
    headers = {"Authorization": f"Bearer {user.token}"}

    def use(api: TestClient) -> Any:
        if replicas.index(api) % 2:
            return api.post("/user/login", json={**both, "email": user.email})
        return api.request("DELETE", "/user/second-factor", json=both, headers=headers)

    statuses = at_once(replicas, use)

    # Once it is removed, logins take the key alone: they do not show that the code was used a second time.
    assert statuses[204] <= 1
    assert statuses[204] or statuses[200] == 1


def test_of_confirmations_at_once_one_gets_recovery_codes(
    replicas: list[TestClient], user: TestUser, clock: Clock, own_database: Settings
) -> None:
    code = Phone(start(user).json()["secreto"], clock).code()
    headers = {"Authorization": f"Bearer {user.token}"}

    statuses = at_once(
        replicas, lambda api: api.post("/user/second-factor/confirm", json={"codigo": code}, headers=headers)
    )

    assert statuses == {200: 1, 409: AT_ONCE - 1}
    assert rows(own_database, "SELECT count(*) FROM codigo_recuperacion") == [{"count": 10}]


def test_of_repeated_refreshes_at_once_one_is_answered(
    replicas: list[TestClient], user: TestUser, own_database: Settings
) -> None:
    body = {"refresh_token": user.refresh_token}
    assert replicas[0].post("/user/token/refresh", json=body).status_code == 200

    rows(own_database, "UPDATE inicio_sesion SET ultimo_uso = now() + interval '1 hour'")  # however slow the machine is

    statuses = at_once(replicas, lambda api: api.post("/user/token/refresh", json=body))

    assert statuses == {200: 1, 401: AT_ONCE - 1}
    events = rows(own_database, "SELECT tipo FROM evento_seguridad ORDER BY id DESC LIMIT 2")
    assert [event["tipo"] for event in events] == ["token_reutilizado", "renovacion_repetida"]


def test_a_login_while_a_second_factor_is_confirmed_is_ended_by_it_or_asked_for_a_code(
    replicas: list[TestClient], user: TestUser, clock: Clock, own_database: Settings
) -> None:
    code = Phone(start(user).json()["secreto"], clock).code()

    def either(api: TestClient) -> Any:
        return user.log_in() if replicas.index(api) else confirm(user, code)

    at_once(replicas, either)

    open_ = "SELECT con_segundo_factor FROM inicio_sesion WHERE cerrado IS NULL"
    assert rows(own_database, open_) == [{"con_segundo_factor": True}]
