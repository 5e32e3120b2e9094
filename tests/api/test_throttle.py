"""Every line of the table of limits, through the API, with both storages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.registry import Clients
from maverik_backend.core.security import PasswordHasher
from maverik_backend.services.accounts.auth import REMEMBERED_LOGINS
from maverik_backend.services.limits import LIMITS, Action
from maverik_backend.services.limits.storage import MemoryStorage
from maverik_backend.settings import Settings
from maverik_backend.web.resources import Resources, resources_of
from tests.support.fixtures.application import ANSWER, PLENTY, MakeApp
from tests.support.fixtures.people import TestUser, delivering, link_token_in, make_profile, sign_up_and_in
from tests.support.fixtures.second_factor import Enrol, confirm

Try = Callable[[TestClient, TestUser], Any]
_numbers = count(1)


def another_address() -> str:
    return f"otra{next(_numbers)}@example.com"


def log_in(api: TestClient, email: str, **kwargs: Any) -> Any:
    return api.post("/user/login", json={"email": email, "clave": "otra"}, **kwargs)


def confirm_key(api: TestClient, user: TestUser) -> Any:
    del api
    return user.put("/user/password", {"clave_actual": "otra", "clave_nueva": "una clave nueva"})


def ask_before(api: TestClient) -> Any:
    """What a browser asks before it sends a turn."""
    headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    return api.options("/copilot/sessions", headers=headers)


NO_SESSION = "/copilot/sessions/999999999"


def from_anywhere() -> dict[str, str]:
    number = next(_numbers)
    return {"X-Forwarded-For": f"10.{number >> 8 & 255}.{number & 255}.1"}


def within_a_network() -> dict[str, str]:
    return {"X-Forwarded-For": f"192.0.2.{next(_numbers) % 256}"}


def guess_code(api: TestClient, user: TestUser) -> Any:
    body = {"email": user.email, "clave": user.key, "codigo": "000 000"}
    return api.post("/user/login", json=body, headers=from_anywhere())


# For each line of the table, something that uses it up and no other line.
TRIES: dict[Action, Try] = {
    Action.LOG_IN_TO_ACCOUNT: lambda api, user: log_in(api, user.email),
    Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK: lambda api, user: log_in(api, user.email, headers=within_a_network()),
    Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE: lambda api, user: log_in(api, user.email, headers=from_anywhere()),
    Action.LOG_IN_FROM_ADDRESS: lambda api, _user: log_in(api, another_address()),
    Action.SIGN_UP_FROM_ADDRESS: lambda api, _user: api.post("/user/signup", json=make_profile()),
    Action.SIGN_UP_AS_ACCOUNT: lambda api, user: api.post("/user/signup", json=make_profile(email=user.email)),
    Action.MAIL_TO_ACCOUNT: lambda api, user: api.post("/user/password/forgot", json={"email": user.email}),
    Action.MAIL_FROM_ADDRESS: lambda api, _user: api.post("/user/email/resend", json={"email": another_address()}),
    Action.RESET_FROM_ADDRESS: lambda api, _user: api.post(
        "/user/password/reset", json={"token": "x", "clave_nueva": "una clave nueva"}
    ),
    Action.REFRESH_FROM_ADDRESS: lambda api, _user: api.post("/user/token/refresh", json={"refresh_token": "x"}),
    Action.CONFIRM_PASSWORD: confirm_key,
    Action.SECOND_FACTOR_FROM_ADDRESS: lambda _api, user: confirm(user, "000 000"),
    Action.SECOND_FACTOR_FROM_ANYWHERE: guess_code,
    Action.TURN: lambda _api, user: user.post(NO_SESSION, {"input": "hola"}),
    Action.READ_HISTORY: lambda _api, user: user.get(NO_SESSION),
    Action.OPEN_SESSION: lambda _api, user: user.post("/copilot/sessions", {}),
    Action.EXPORT: lambda _api, user: user.get("/user/me/export"),
    Action.ADD_DOCUMENT: lambda _api, user: user.request("POST", "/documents", content=b""),
    Action.REQUEST_FROM_ADDRESS: lambda api, _user: api.get("/catalogs"),
    Action.PREFLIGHT_FROM_ADDRESS: lambda api, _user: ask_before(api),
}
OF_THE_TABLE = dict.fromkeys(PLENTY)


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def action() -> Action | None:
    """Which line of the table a test is about; those about each of them are given it."""
    return None


@pytest.fixture
def app(make_app: MakeApp, storage: str, action: Action | None) -> FastAPI:
    limits = {**OF_THE_TABLE}
    # Other lines allow more than these, which count everything.
    if action not in {Action.REQUEST_FROM_ADDRESS, Action.PREFLIGHT_FROM_ADDRESS}:
        limits["rate_limit_requests_per_minute"] = PLENTY["rate_limit_requests_per_minute"]
    return make_app(rate_limit_storage=SecretStr(storage), trusted_proxy_count=1, **limits)


@pytest.fixture
def let_windows_pass(resources: Resources, connection: Connection, storage: str) -> Callable[[], None]:
    """End every window, wherever it is counted."""

    def travel() -> None:
        if storage == "postgres":
            connection.execute(text("UPDATE limite_uso SET vence = now()"))
            return
        counted = resources.throttle._limiter.storage  # noqa: SLF001 - time travel
        assert isinstance(counted, MemoryStorage)
        counted._windows.update({key: (count, 0.0) for key, (count, _) in counted._windows.items()})  # noqa: SLF001 - the same

    return travel


@pytest.fixture
def user(user: TestUser, let_windows_pass: Callable[[], None], action: Action | None, enrol: Enrol) -> TestUser:
    """A person whose signing up and in is not counted any more."""
    if action is Action.SECOND_FACTOR_FROM_ANYWHERE:
        enrol(user)
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
        minutes = window_s // 60
        wait = "un minuto" if minutes == 1 else f"{minutes} minutos"
        assert f"Esperá {wait}" in refused.json()["detail"]
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

    def test_guesses_from_elsewhere_do_not_lock_the_owner_out(self, api: TestClient, user: TestUser) -> None:
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
                log_in(api, another_address())
            assert user.log_in().status_code == 200

        assert user.log_in().status_code == 429

    def test_an_open_login_goes_on_while_the_account_is_locked(self, api: TestClient, user: TestUser) -> None:
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

        login = self.restored(api, user, mailbox, resources)

        assert (login.status_code, login.json()["user_name"]) == (200, user.email.partition("@")[0])

    def test_a_mailed_link_signs_its_owner_in_while_guesses_keep_the_lock(
        self, api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources
    ) -> None:
        restored = self.reset(api, user, mailbox, resources, from_anywhere()).json()
        use_up(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, api, user)
        assert log_in(api, user.email, headers=from_anywhere()).status_code == 429

        again = self.reset(api, user, mailbox, resources, from_anywhere(), key="otra clave bien nueva")

        assert restored["access_token"] != again.json()["access_token"]
        me = api.get("/user/me", headers={"Authorization": f"Bearer {again.json()['access_token']}"})
        assert me.status_code == 200

    @pytest.mark.parametrize("is_ours", [True, False], ids=["our page", "api"])
    @pytest.mark.parametrize("has_second_factor", [False, True])
    def test_a_lock_does_not_reach_where_a_mailed_link_was_used(
        self,
        api: TestClient,
        user: TestUser,
        mailbox: LocalMailbox,
        resources: Resources,
        enrol: Enrol,
        *,
        is_ours: bool,
        has_second_factor: bool,
    ) -> None:
        phone = enrol(user) if has_second_factor else None
        new_network = {"X-Forwarded-For": "203.0.113.7"}
        if is_ours:
            fields = {"clave_nueva": "una clave bien nueva", "clave_repetida": "una clave bien nueva"}
            api.post("/user/password/forgot", json={"email": user.email})
            resources.jobs.run_due()
            token = link_token_in(mailbox.mails_to(user.email)[-1])
            assert api.post("/clave/nueva", data={"token": token, **fields}, headers=new_network).status_code == 200
        else:
            self.reset(api, user, mailbox, resources, new_network)
        use_up(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, api, user)

        body = {"email": user.email, "clave": "una clave bien nueva", "codigo": phone.next_code() if phone else None}
        assert api.post("/user/login", json=body, headers=from_anywhere()).status_code == 429
        assert api.post("/user/login", json=body, headers=new_network).status_code == 200

    def test_where_the_person_signed_in_before_a_lock_from_elsewhere_does_not_reach(
        self, api: TestClient, user: TestUser
    ) -> None:
        home, neighbour = ({"X-Forwarded-For": address} for address in ("203.0.113.7", "203.0.113.8"))
        body = {"email": user.email, "clave": user.key}
        assert api.post("/user/login", json=body, headers=home).status_code == 200

        use_up(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, api, user)

        assert api.post("/user/login", json=body, headers=from_anywhere()).status_code == 429
        assert api.post("/user/login", json=body, headers=home).status_code == 200
        assert api.post("/user/login", json=body, headers=neighbour).status_code == 200

    def test_where_the_person_signed_in_before_tries_are_counted_apart(self, api: TestClient, user: TestUser) -> None:
        home = {"X-Forwarded-For": "192.0.2.255"}
        api.post("/user/login", json={"email": user.email, "clave": user.key}, headers=home)
        for _ in range(LIMITS[Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK].amount - 1):
            log_in(api, user.email, headers=within_a_network())

        assert log_in(api, user.email, headers=home).status_code == 429
        assert (
            api.post("/user/login", json={"email": user.email, "clave": user.key}, headers=from_anywhere()).status_code
            == 200
        )

    def test_only_the_latest_logins_make_a_network_known(
        self, api: TestClient, user: TestUser, connection: Connection
    ) -> None:
        home = {"X-Forwarded-For": "203.0.113.7"}
        body = {"email": user.email, "clave": user.key}
        api.post("/user/login", json=body, headers=home)
        later = text(
            "INSERT INTO inicio_sesion (usuario_id, vence, direccion) "
            "SELECT u.id, now(), '198.51.100.0/24' FROM usuario u, generate_series(1, :n) WHERE u.email = :email"
        )
        connection.execute(later, {"n": REMEMBERED_LOGINS, "email": user.email})

        use_up(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, api, user)

        assert api.post("/user/login", json=body, headers=home).status_code == 429

    def test_another_persons_logins_make_no_network_known(
        self, api: TestClient, user: TestUser, other_user: TestUser
    ) -> None:
        home = {"X-Forwarded-For": "203.0.113.7"}
        api.post("/user/login", json={"email": other_user.email, "clave": other_user.key}, headers=home)

        use_up(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, api, user)

        assert log_in(api, user.email, headers=home).status_code == 429

    def test_restoring_it_lets_the_person_in_at_once(
        self, api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources
    ) -> None:
        use_up(Action.LOG_IN_TO_ACCOUNT, api, user)

        assert self.restored(api, user, mailbox, resources).status_code == 200

    @staticmethod
    def reset(
        api: TestClient,
        user: TestUser,
        mailbox: LocalMailbox,
        resources: Resources,
        headers: dict[str, str] | None = None,
        key: str = "una clave bien nueva",
    ) -> Any:
        """What setting another key with a mailed link says."""
        api.post("/user/password/forgot", json={"email": user.email})
        resources.jobs.run_due()
        token = link_token_in(mailbox.mails_to(user.email)[-1])
        response = api.post("/user/password/reset", json={"token": token, "clave_nueva": key}, headers=headers)
        assert response.status_code == 200, response.text
        user.key = key
        return response

    def restored(self, api: TestClient, user: TestUser, mailbox: LocalMailbox, resources: Resources) -> Any:
        """What signing in says after setting another key with a mailed link."""
        self.reset(api, user, mailbox, resources)
        return user.log_in()

    def test_asking_for_links_does_not_keep_an_address_from_signing_up(self, api: TestClient) -> None:
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
        use_up(Action.CONFIRM_PASSWORD, api, user)
        user.token = self.restored(api, user, mailbox, resources).json()["access_token"]

        assert confirm_key(api, user).status_code == 422

    def test_confirming_the_key_to_leave_is_counted_too(self, user: TestUser) -> None:
        tries = [user.delete("/user/me", {"clave": "otra"}) for _ in range(LIMITS[Action.CONFIRM_PASSWORD].amount)]

        assert {response.status_code for response in tries} == {422}
        assert user.delete("/user/me", {"clave": user.key}).status_code == 429

    @pytest.mark.parametrize("path", ["/user/password/forgot", "/user/signup"])
    def test_tags_and_dots_do_not_make_another_mailbox(self, api: TestClient, path: str) -> None:
        name = f"ana{next(_numbers)}"
        spellings = [f"{name}@gmail.com", f"{'.'.join(name)}@gmail.com", f"{name.upper()}@GoogleMail.com"]
        spellings += [f"{name}+{number}@gmail.com" for number in range(LIMITS[Action.MAIL_TO_ACCOUNT].amount - 2)]

        statuses = [api.post(path, json=make_profile(email=email)).status_code for email in spellings]

        assert statuses.index(429) == len(statuses) - 1

    def test_a_mail_too_many_is_not_written(self, api: TestClient, user: TestUser, connection: Connection) -> None:
        use_up(Action.MAIL_TO_ACCOUNT, api, user)
        waiting = text("SELECT count(*) FROM trabajo")
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
            list(counted._windows)  # noqa: SLF001 - the same
            if isinstance(counted, MemoryStorage)
            else list(connection.scalars(text("SELECT clave FROM limite_uso")))
        )
        assert len(keys) >= len(Action), storage
        assert not [key for key in keys if "example.com" in key or "testclient" in key]


class TestFromWhere:
    """What stands left of our own proxies' entries in X-Forwarded-For was written by the client."""

    @staticmethod
    def serve(make_app: MakeApp, proxies: int) -> TestClient:
        return TestClient(make_app(trusted_proxy_count=proxies), client=("10.0.0.1", 50_000))

    @staticmethod
    def log_in_from(api: TestClient, forwarded: str) -> int:
        response = api.post(
            "/user/login",
            json={"email": another_address(), "clave": "otra"},
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

    def test_clients_behind_one_proxy_are_counted_apart(self, make_app: MakeApp) -> None:
        api = self.serve(make_app, 1)
        for _ in range(LIMITS[Action.LOG_IN_FROM_ADDRESS].amount):
            self.log_in_from(api, "203.0.113.7")

        assert self.log_in_from(api, "203.0.113.7") == 429
        assert self.log_in_from(api, "203.0.113.8") == 401

    def test_what_is_shown_to_the_person_is_the_clients_network(self, make_app: MakeApp, user: TestUser) -> None:
        api = self.serve(make_app, 1)

        api.post(
            "/user/login",
            json={"email": user.email, "clave": user.key},
            headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.7"},
        )

        assert user.get("/user/logins").json()[0]["direccion"] == "203.0.113.0/24"


class TestTurns:
    """Twenty a minute by the table; an answer that was given before is not a turn."""

    def test_one_person_has_so_many_in_whatever_session(self, user: TestUser, other_user: TestUser) -> None:
        for _ in range(LIMITS[Action.TURN].amount):
            user.say(user.open_session(), "hola")

        refused = user.post(f"/copilot/sessions/{user.open_session()['id']}", {"input": "hola"})

        assert refused.status_code == 429
        assert other_user.say(other_user.open_session(), "hola")["output"].startswith(ANSWER)

    def test_a_repeated_request_is_neither_counted_nor_refused(self, api: TestClient, user: TestUser) -> None:
        path, key = f"/copilot/sessions/{user.open_session()['id']}", {"Idempotency-Key": "uno"}
        first = user.post(path, {"input": "hola"}, headers=key)
        for _ in range(5):
            user.post(path, {"input": "hola"}, headers=key)
        others = [TRIES[Action.TURN](api, user).status_code for _ in range(LIMITS[Action.TURN].amount)]

        again = user.post(path, {"input": "hola"}, headers=key)

        assert others == [404] * (len(others) - 1) + [429]
        assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, first.json(), "true")

    def test_another_try_counts_as_a_turn(self, api: TestClient, user: TestUser) -> None:
        use_up(Action.TURN, api, user)

        assert user.post(f"{NO_SESSION}/turns/1/retry").status_code == 429

    def test_the_history_stays_readable(self, api: TestClient, user: TestUser) -> None:
        session = user.open_session()
        use_up(Action.TURN, api, user)

        assert user.get(f"/copilot/sessions/{session['id']}").status_code == 200


class TestRequests:
    """A hundred a minute from one place by the table, whatever is asked for."""

    @pytest.fixture
    def action(self) -> Action:
        return Action.REQUEST_FROM_ADDRESS

    @pytest.fixture
    def used_up(self, api: TestClient, action: Action) -> None:
        for _ in range(LIMITS[action].amount):
            api.get("/nada")

    @pytest.mark.usefixtures("used_up")
    @pytest.mark.parametrize("path", ["/catalogs", "/nada", "/openapi.json", "/user/me", "/health/../catalogs"])
    def test_every_path_counts(self, api: TestClient, path: str) -> None:
        assert api.get(path).status_code == 429

    @pytest.mark.usefixtures("used_up")
    @pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready"])
    def test_how_the_service_is_can_always_be_asked(self, api: TestClient, path: str) -> None:
        assert api.get(path).status_code in {200, 503}

    @pytest.mark.usefixtures("used_up")
    def test_browsers_may_read_the_refusal(self, api: TestClient) -> None:
        response = api.get("/catalogs", headers={"Origin": "https://app.example.com"})

        assert (response.status_code, response.json()["error"]) == (429, "too many requests")
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert response.headers["X-Request-ID"]

    @pytest.mark.usefixtures("used_up")
    def test_what_browsers_ask_before_is_answered(self, api: TestClient) -> None:
        assert ask_before(api).status_code == 200

    @pytest.mark.parametrize("path", ["/copilot/sessions", "/health", "/nada"])
    def test_what_browsers_ask_before_is_counted_apart(self, api: TestClient, action: Action, path: str) -> None:
        for _ in range(LIMITS[action].amount):
            api.options(path)

        assert (ask_before(api).status_code, api.get("/catalogs").status_code) == (429, 200)

    def test_a_browser_that_asks_before_each_request_is_not_held_up(self, api: TestClient, action: Action) -> None:
        tries = [(ask_before(api), api.get("/catalogs")) for _ in range(LIMITS[action].amount)]

        assert {response.status_code for both in tries for response in both} == {200}

    def test_browsers_need_not_ask_again_for_a_while(self, api: TestClient) -> None:
        assert int(ask_before(api).headers["Access-Control-Max-Age"]) >= 600

    def test_an_ipv6_household_is_counted_as_one(self, api: TestClient, action: Action) -> None:
        for number in range(LIMITS[action].amount):
            api.get("/nada", headers={"X-Forwarded-For": f"2001:db8:1:2::{number:x}"})

        assert api.get("/nada", headers={"X-Forwarded-For": "2001:db8:1:2:ffff::1"}).status_code == 429
        assert api.get("/nada", headers={"X-Forwarded-For": "2001:db8:1:3::1"}).status_code == 404

    def test_another_address_goes_on(self, api: TestClient, used_up: None) -> None:
        del used_up

        assert api.get("/catalogs", headers=from_anywhere()).status_code == 200


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "action"),
        [
            ("rate_limit_turns_per_minute", Action.TURN),
            ("rate_limit_history_reads_per_minute", Action.READ_HISTORY),
            ("rate_limit_requests_per_minute", Action.REQUEST_FROM_ADDRESS),
            ("rate_limit_requests_per_minute", Action.PREFLIGHT_FROM_ADDRESS),
        ],
    )
    def test_operators_change_the_general_limits(
        self, make_app: MakeApp, user: TestUser, name: str, action: Action
    ) -> None:
        api = TestClient(make_app(**{name: 3}))
        person = TestUser(api, email=user.email, key=user.key, token=user.token, refresh_token="")

        assert [TRIES[action](api, person).status_code == 429 for _ in range(4)] == [False] * 3 + [True]

    @pytest.mark.parametrize("action", Action)
    def test_all_of_them_can_be_turned_off(self, make_app: MakeApp, user: TestUser, action: Action) -> None:
        api = TestClient(make_app(rate_limits_enabled=False))
        person = TestUser(api, email=user.email, key=user.key, token=user.token, refresh_token="")

        assert 429 not in {TRIES[action](api, person).status_code for _ in range(LIMITS[action].amount + 1)}


@pytest.fixture
def with_one_connection(own_database: Settings, clients: Clients, cheap_hasher: PasswordHasher) -> Iterator[FastAPI]:
    """The application with a pool of one, which the counting needs as well."""
    database = own_database.database.model_copy(update={"pool_size": 1, "pool_timeout_s": 5})
    security = own_database.security.model_copy(update={"rate_limit_storage": SecretStr("postgres")})
    settings = own_database.model_copy(update={"database": database, "security": security})
    app = create_app(settings, clients=clients, hasher=cheap_hasher)
    yield app
    resources_of(app).close(grace_s=10)


def test_nothing_is_counted_while_a_transaction_is_open(with_one_connection: FastAPI, mailbox: LocalMailbox) -> None:
    api = TestClient(with_one_connection)
    user = sign_up_and_in(api, delivering(resources_of(with_one_connection), mailbox))
    path, idempotent = f"/copilot/sessions/{user.open_session()['id']}", {"Idempotency-Key": "uno"}

    statuses = [
        user.post(path, {"input": "hola"}, headers=idempotent).status_code,
        user.post(path, {"input": "hola"}, headers=idempotent).status_code,
        user.get(path).status_code,
        api.post("/user/token/refresh", json={"refresh_token": user.refresh_token}).status_code,
        user.change_key("una clave bien nueva").status_code,
        api.post("/user/password/forgot", json={"email": user.email}).status_code,
        user.delete("/user/me", {"clave": user.key}).status_code,
    ]

    assert statuses == [200, 200, 200, 200, 200, 200, 204]
