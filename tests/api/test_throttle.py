"""Every line of the table of limits, through the API, with both storages."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from fastapi import FastAPI
from limits.storage import MemoryStorage
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.services.throttle import LIMITS, Action
from maverik_backend.web.resources import Resources
from tests.fixtures.application import MakeApp
from tests.fixtures.people import TestUser, make_profile, text_of

Try = Callable[[TestClient, TestUser], Any]
_numbers = count(1)


def somebody_else() -> str:
    return f"otra{next(_numbers)}@example.com"


def log_in(api: TestClient, email: str, **kwargs: Any) -> Any:
    return api.post("/user/login", json={"email": email, "clave": "otra"}, **kwargs)


def confirm_key(api: TestClient, user: TestUser) -> Any:
    del api
    return user.put("/user/password", {"clave_actual": "otra", "clave_nueva": "una clave nueva"})


def from_anywhere() -> dict[str, str]:
    number = next(_numbers)
    return {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


# For each line of the table, something that uses it up and no other line.
TRIES: dict[Action, Try] = {
    Action.LOG_IN_TO_ACCOUNT: lambda api, user: log_in(api, user.email),
    Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE: lambda api, user: log_in(api, user.email, headers=from_anywhere()),
    Action.LOG_IN_FROM_ADDRESS: lambda api, _user: log_in(api, somebody_else()),
    Action.SIGN_UP_FROM_ADDRESS: lambda api, _user: api.post("/user/signup", json=make_profile()),
    Action.SIGN_UP_AS_ACCOUNT: lambda api, user: api.post("/user/signup", json=make_profile(email=user.email)),
    Action.MAIL_TO_ACCOUNT: lambda api, user: api.post("/user/password/forgot", json={"email": user.email}),
    Action.MAIL_FROM_ADDRESS: lambda api, _user: api.post("/user/email/resend", json={"email": somebody_else()}),
    Action.RESET_FROM_ADDRESS: lambda api, _user: api.post(
        "/user/password/reset", json={"token": "x", "clave_nueva": "una clave nueva"}
    ),
    Action.REFRESH_FROM_ADDRESS: lambda api, _user: api.post("/user/token/refresh", json={"refresh_token": "x"}),
    Action.CONFIRM_KEY: confirm_key,
}


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(make_app: MakeApp, storage: str) -> FastAPI:
    return make_app(rate_limit_storage=SecretStr(storage), trusted_proxy_count=1)


@pytest.fixture
def let_windows_pass(resources: Resources, connection: Connection, storage: str) -> Callable[[], None]:
    """End every window, wherever it is counted."""

    def travel() -> None:
        if storage == "postgres":
            connection.execute(text("UPDATE limite_uso SET vence = now()"))
            return
        counted = resources.throttle._limiter.storage  # noqa: SLF001 - time travel
        assert isinstance(counted, MemoryStorage)
        counted.expirations.update(dict.fromkeys(counted.expirations, 0.0))

    return travel


@pytest.fixture
def user(user: TestUser, let_windows_pass: Callable[[], None]) -> TestUser:
    """Somebody whose signing up and in is not counted any more."""
    let_windows_pass()
    return user


def use_up(action: Action, api: TestClient, user: TestUser) -> list[int]:
    """Try as often as is allowed; the statuses of the answers."""
    return [TRIES[action](api, user).status_code for _ in range(LIMITS[action].amount)]


def test_every_limit_is_tried() -> None:
    assert set(TRIES) == set(LIMITS) == set(Action)


@pytest.mark.parametrize("action", Action)
class TestEveryLimit:
    def test_one_try_more_than_allowed_is_refused_until_the_window_has_passed(
        self, api: TestClient, user: TestUser, action: Action, let_windows_pass: Callable[[], None]
    ) -> None:
        assert 429 not in use_up(action, api, user)

        refused = TRIES[action](api, user)
        assert refused.status_code == 429
        assert refused.json()["error"] == "too many requests"
        assert refused.headers["content-type"] == "application/problem+json"
        window_s = LIMITS[action].get_expiry()
        assert f"Esperá {window_s // 60} minutos" in refused.json()["detail"]
        assert window_s - 60 <= int(refused.headers["Retry-After"]) <= window_s

        let_windows_pass()
        assert TRIES[action](api, user).status_code != 429


class TestWhoIsCounted:
    def test_one_locked_account_leaves_the_others_open(
        self, api: TestClient, user: TestUser, other_user: TestUser
    ) -> None:
        use_up(Action.LOG_IN_TO_ACCOUNT, api, user)

        assert user.log_in().status_code == 429
        assert other_user.log_in().status_code == 200

    def test_a_stranger_who_guesses_does_not_lock_the_owner_out(self, api: TestClient, user: TestUser) -> None:
        for _ in range(3):
            use_up(Action.LOG_IN_TO_ACCOUNT, api, user)
        assert user.log_in().status_code == 429

        own = api.post("/user/login", json={"email": user.email, "clave": user.key}, headers=from_anywhere())

        assert own.status_code == 200

    def test_any_spelling_of_an_address_is_one_account(self, api: TestClient, user: TestUser) -> None:
        for number in range(LIMITS[Action.LOG_IN_TO_ACCOUNT].amount):
            log_in(api, user.email.upper() if number % 2 else f" {user.email} ")

        assert log_in(api, user.email).status_code == 429

    def test_signing_in_starts_the_count_of_the_account_anew(self, api: TestClient, user: TestUser) -> None:
        for _ in range(2):
            for _ in range(LIMITS[Action.LOG_IN_TO_ACCOUNT].amount - 1):
                log_in(api, user.email)
            assert user.log_in().status_code == 200

    def test_signing_in_does_not_forgive_the_address(self, api: TestClient, user: TestUser) -> None:
        for _ in range(LIMITS[Action.LOG_IN_FROM_ADDRESS].amount // 10):
            for _ in range(9):
                log_in(api, somebody_else())
            assert user.log_in().status_code == 200

        assert user.log_in().status_code == 429

    def test_somebody_signed_in_goes_on_while_the_account_is_locked(self, api: TestClient, user: TestUser) -> None:
        use_up(Action.LOG_IN_TO_ACCOUNT, api, user)

        assert user.get("/user/me").status_code == 200

    def test_a_locked_account_can_be_restored_by_mail(self, api: TestClient, user: TestUser) -> None:
        use_up(Action.LOG_IN_TO_ACCOUNT, api, user)

        assert api.post("/user/password/forgot", json={"email": user.email}).status_code == 200

    def test_an_account_attacked_from_everywhere_can_be_restored_by_mail(
        self, api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources
    ) -> None:
        use_up(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, api, user)
        assert user.log_in().status_code == 429

        assert self.restored(api, user, mailbox, resources).status_code == 200

    def test_restoring_it_lets_the_person_in_at_once(
        self, api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources
    ) -> None:
        use_up(Action.LOG_IN_TO_ACCOUNT, api, user)

        assert self.restored(api, user, mailbox, resources).status_code == 200

    @staticmethod
    def restored(api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources) -> Any:
        """What signing in says after setting another key with a mailed link."""
        api.post("/user/password/forgot", json={"email": user.email})
        resources.outbox.deliver_due()
        token = text_of(mailbox.mails_to(user.email)[-1]).partition("set-password?token=")[2].split()[0]
        new = "una clave bien nueva"
        assert api.post("/user/password/reset", json={"token": token, "clave_nueva": new}).status_code == 200
        return api.post("/user/login", json={"email": user.email, "clave": new})

    def test_asking_for_links_keeps_nobody_from_signing_up(self, api: TestClient) -> None:
        form = make_profile()
        for _ in range(LIMITS[Action.MAIL_TO_ACCOUNT].amount):
            api.post("/user/password/forgot", json={"email": form["email"]})

        assert api.post("/user/signup", json=form).status_code == 201

    def test_signing_in_does_not_forgive_tries_from_everywhere(self, api: TestClient, user: TestUser) -> None:
        for _ in range(LIMITS[Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE].amount - 1):
            log_in(api, user.email, headers=from_anywhere())
        assert user.log_in().status_code == 200

        assert log_in(api, user.email, headers=from_anywhere()).status_code == 429

    def test_restoring_forgives_wrong_confirmations(
        self, api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources
    ) -> None:
        use_up(Action.CONFIRM_KEY, api, user)
        user.token = self.restored(api, user, mailbox, resources).json()["access_token"]

        assert confirm_key(api, user).status_code == 422

    def test_confirming_the_key_to_leave_is_counted_too(self, user: TestUser) -> None:
        tries = [user.delete("/user/me", {"clave": "otra"}) for _ in range(LIMITS[Action.CONFIRM_KEY].amount)]

        assert {response.status_code for response in tries} == {422}
        assert user.delete("/user/me", {"clave": user.key}).status_code == 429

    def test_a_mail_too_many_is_not_written(self, api: TestClient, user: TestUser, connection: Connection) -> None:
        use_up(Action.MAIL_TO_ACCOUNT, api, user)
        waiting = text("SELECT count(*) FROM correo_saliente")
        before = connection.scalar(waiting)

        assert TRIES[Action.MAIL_TO_ACCOUNT](api, user).status_code == 429

        assert connection.scalar(waiting) == before

    def test_counters_hold_no_address_in_clear(
        self, api: TestClient, user: TestUser, resources: Resources, connection: Connection, storage: str
    ) -> None:
        for action in Action:
            TRIES[action](api, user)

        counted = resources.throttle._limiter.storage  # noqa: SLF001 - what it keeps is what is looked at
        keys = (
            list(counted.storage)
            if isinstance(counted, MemoryStorage)
            else list(connection.scalars(text("SELECT clave FROM limite_uso")))
        )
        assert len(keys) >= len(Action), storage
        assert not [key for key in keys if "example.com" in key or "testclient" in key]


class TestFromWhere:
    """What stands left of our own proxies' entries in X-Forwarded-For was written by the caller."""

    @staticmethod
    def serve(make_app: MakeApp, proxies: int) -> TestClient:
        return TestClient(make_app(trusted_proxy_count=proxies), client=("10.0.0.1", 50_000))

    @staticmethod
    def log_in_from(api: TestClient, forwarded: str) -> int:
        response = api.post(
            "/user/login",
            json={"email": somebody_else(), "clave": "otra"},
            headers={"X-Forwarded-For": forwarded},
        )
        return int(response.status_code)

    @pytest.mark.parametrize("proxies", [0, 1, 2])
    def test_invented_entries_do_not_dodge_the_limit(self, make_app: MakeApp, proxies: int) -> None:
        api = self.serve(make_app, proxies)
        ours = ", ".join(["203.0.113.7", "10.0.0.2"][:proxies])
        for number in range(LIMITS[Action.LOG_IN_FROM_ADDRESS].amount):
            self.log_in_from(api, f"198.51.100.{number}, {ours}")

        assert self.log_in_from(api, f"192.0.2.1, {ours}") == 429

    def test_callers_behind_one_proxy_are_counted_apart(self, make_app: MakeApp) -> None:
        api = self.serve(make_app, 1)
        for _ in range(LIMITS[Action.LOG_IN_FROM_ADDRESS].amount):
            self.log_in_from(api, "203.0.113.7")

        assert self.log_in_from(api, "203.0.113.7") == 429
        assert self.log_in_from(api, "203.0.113.8") == 401

    def test_what_is_shown_to_the_person_is_the_callers_network(self, make_app: MakeApp, user: TestUser) -> None:
        api = self.serve(make_app, 1)

        api.post(
            "/user/login",
            json={"email": user.email, "clave": user.key},
            headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.7"},
        )

        assert user.get("/user/logins").json()[0]["direccion"] == "203.0.113.0/24"
