"""Nobody takes what is there for everybody: turns at once by person and by address, sessions by person."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from itertools import islice
from typing import Any

import pytest
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.registry import Clients
from maverik_backend.core.security import PasswordHasher
from maverik_backend.settings import AdviceSettings, Settings
from maverik_backend.web.resources import resources_of
from tests.support.fixtures.application import ScriptedAdvisor
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import make_session_body

PEOPLE = 25
SESSIONS = 5
PATIENCE_S = 60
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"

MAKE_PEOPLE = "INSERT INTO usuario (email, clave_hash) SELECT 'p' || n || '@x', 'x' FROM generate_series(1, :n) n"
MAKE_LOGINS = "INSERT INTO inicio_sesion (usuario_id, vence) SELECT id, now() + interval '1 day' FROM usuario"
MAKE_SESSIONS = "INSERT INTO sesion_asesoria (usuario_id) SELECT id FROM usuario, generate_series(1, :n)"
GET_PEOPLE = """
    SELECT u.id AS user_id, i.id AS login_id, array_agg(s.id ORDER BY s.id) AS sessions FROM usuario u
    JOIN inicio_sesion i ON i.usuario_id = u.id JOIN sesion_asesoria s ON s.usuario_id = u.id GROUP BY 1, 2 ORDER BY 1
"""


class Crowd:
    """Accounts with several sessions each, whose turns the advisor holds until its gate opens."""

    def __init__(
        self, settings: Settings, clients: Clients, hasher: PasswordHasher, advisor: ScriptedAdvisor, **advice: Any
    ) -> None:
        changed = AdviceSettings.isolated(rag_service_url=None, external_service_timeout=PATIENCE_S, **advice)
        security = settings.security.model_copy(update={"trusted_proxy_count": 1})
        self._app = create_app(
            settings.model_copy(update={"advice": changed, "security": security}), clients=clients, hasher=hasher
        )
        self._advisor = advisor
        self._pool = ThreadPoolExecutor(PEOPLE * SESSIONS)
        rows(settings, MAKE_PEOPLE, n=PEOPLE)
        rows(settings, MAKE_LOGINS)
        rows(settings, MAKE_SESSIONS, n=SESSIONS)
        tokens = resources_of(self._app).tokens
        self._people = [
            (tokens.issue_access(user_id=row["user_id"], login_id=row["login_id"]).token, row["sessions"])
            for row in rows(settings, GET_PEOPLE)
        ]
        advisor.gate.clear()

    def say(self, person: int, session: int, *, address: str = HOME) -> Future[Any]:
        """One turn, beside all others."""
        return self._pool.submit(self._post, person, session, {"input": "hola"}, address)

    def open_sessions(self, person: int, count: int) -> list[Any]:
        """So many sessions, asked for at the same moment; the answers."""
        at_once = threading.Barrier(count)

        def send() -> Any:
            at_once.wait()
            return self._post(person, None, make_session_body(), HOME)

        return [asked.result() for asked in [self._pool.submit(send) for _ in range(count)]]

    def delete_session(self, person: int, session: int) -> None:
        token, sessions = self._people[person]
        headers = {"Authorization": f"Bearer {token}"}
        assert TestClient(self._app).delete(f"/copilot/sessions/{sessions[session]}", headers=headers).is_success

    def refusals(self, turns: list[Future[Any]], *, accepted: int) -> Counter[tuple[int, str]]:
        """Why the others were refused, at once, while ``accepted`` of ``turns`` were under way."""
        for _ in range(accepted):
            assert self._advisor.asked.acquire(timeout=PATIENCE_S)
        done = islice(as_completed(turns, timeout=PATIENCE_S), len(turns) - accepted)
        found = Counter((turn.result().status_code, turn.result().json()["error"]) for turn in done)
        assert len(self._advisor.questions) == accepted
        return found

    def close(self) -> None:
        self._advisor.gate.set()
        self._pool.shutdown()
        resources_of(self._app).close(grace_s=PATIENCE_S)

    def _post(self, person: int, session: int | None, body: Any, address: str) -> Any:
        token, sessions = self._people[person]
        path = "/copilot/sessions" if session is None else f"/copilot/sessions/{sessions[session]}"
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        return TestClient(self._app, raise_server_exceptions=False).post(path, json=body, headers=headers)


MakeCrowd = Callable[..., Crowd]


@pytest.fixture
def make_crowd(
    own_database: Settings, clients: Clients, cheap_hasher: PasswordHasher, advisor: ScriptedAdvisor
) -> Iterator[MakeCrowd]:
    crowds = []

    def make(**advice: Any) -> Crowd:
        crowds.append(Crowd(own_database, clients, cheap_hasher, advisor, **advice))
        return crowds[-1]

    yield make
    for crowd in crowds:
        crowd.close()


class TestTurnsOfAPerson:
    def test_three_may_be_under_way_at_once(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd()

        turns = [crowd.say(0, session) for session in range(SESSIONS)]

        assert crowd.refusals(turns, accepted=3) == {(429, "too many at once"): 2}

    def test_another_device_does_not_add_to_them(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd()

        turns = [crowd.say(0, session, address=f"192.0.2.{session}") for session in range(SESSIONS)]

        assert crowd.refusals(turns, accepted=3) == {(429, "too many at once"): 2}

    def test_a_refusal_says_in_spanish_what_to_do_and_when(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_concurrent_turns_per_person=1)
        turns = [crowd.say(0, session) for session in range(2)]
        crowd.refusals(turns, accepted=1)

        (refused,) = [turn.result() for turn in turns if turn.done()]

        assert (
            refused.json()["detail"] == "Ya tenés otros pedidos en curso. Esperá a que termine alguno y probá de nuevo."
        )
        assert int(refused.headers["Retry-After"]) > 0

    def test_the_next_one_is_taken_when_one_has_ended(self, make_crowd: MakeCrowd, advisor: ScriptedAdvisor) -> None:
        crowd = make_crowd(max_concurrent_turns_per_person=1)
        first = crowd.say(0, 0)
        assert advisor.asked.acquire(timeout=PATIENCE_S)
        advisor.gate.set()

        assert first.result().status_code == 200
        assert crowd.say(0, 1).result().status_code == 200

    def test_the_others_go_on(self, make_crowd: MakeCrowd, advisor: ScriptedAdvisor) -> None:
        crowd = make_crowd()
        crowd.refusals([crowd.say(0, session) for session in range(SESSIONS)], accepted=3)

        crowd.say(1, 0)

        assert advisor.asked.acquire(timeout=PATIENCE_S)


class TestTurnsFromAnAddress:
    def test_25_accounts_cannot_fill_the_500_slots(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd()

        turns = [crowd.say(person, session) for person in range(PEOPLE) for session in range(SESSIONS)]

        assert crowd.refusals(turns, accepted=75) == {(429, "too many at once"): 50}

    def test_together_they_have_a_fifth(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_concurrent_turns=100)

        turns = [crowd.say(person, 0) for person in range(PEOPLE)]

        assert crowd.refusals(turns, accepted=20) == {(429, "address busy"): 5}

    def test_somebody_from_elsewhere_is_answered_meanwhile(
        self, make_crowd: MakeCrowd, advisor: ScriptedAdvisor
    ) -> None:
        crowd = make_crowd(max_concurrent_turns=100)
        crowd.refusals([crowd.say(person, 0) for person in range(PEOPLE)], accepted=20)

        elsewhere = crowd.say(PEOPLE - 1, 1, address=ELSEWHERE)

        assert advisor.asked.acquire(timeout=PATIENCE_S)
        advisor.gate.set()
        assert elsewhere.result().status_code == 200

    def test_one_network_of_ipv6_is_one_address(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_concurrent_turns=100)

        turns = [crowd.say(person, 0, address=f"2001:db8:1:2:{person + 1:x}::1") for person in range(PEOPLE)]

        assert crowd.refusals(turns, accepted=20) == {(429, "address busy"): 5}

    def test_from_as_many_addresses_everybody_has_their_own_three_until_all_are_taken(
        self, make_crowd: MakeCrowd
    ) -> None:
        crowd = make_crowd(max_concurrent_turns=60)

        turns = [
            crowd.say(person, session, address=f"192.0.2.{person}") for person in range(PEOPLE) for session in range(3)
        ]

        assert crowd.refusals(turns, accepted=60) == {(503, "overloaded"): 15}


@pytest.mark.parametrize(
    ("settings", "share"),
    [
        ({}, 100),
        ({"max_concurrent_turns": 20}, 10),
        ({"max_concurrent_turns": 5000}, 1000),
        ({"max_concurrent_turns_per_address": 7}, 7),
    ],
    ids=str,
)
def test_an_address_has_a_fifth_or_what_is_set(settings: dict[str, int], share: int) -> None:
    assert AdviceSettings.isolated(**settings).turns_per_address == share


class TestSessionsOfAPerson:
    def test_one_more_than_allowed_is_refused(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_sessions_per_person=SESSIONS + 1)

        opened, refused = crowd.open_sessions(0, 1)[0], crowd.open_sessions(0, 1)[0]

        assert opened.status_code == 200
        assert (refused.status_code, refused.json()["error"]) == (409, "too many sessions")
        assert "Borrá alguna" in refused.json()["detail"]

    def test_asked_for_at_the_same_moment_they_are_counted_one_by_one(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_sessions_per_person=SESSIONS + 3)

        answers = crowd.open_sessions(0, 8)

        assert Counter(answer.status_code for answer in answers) == {200: 3, 409: 5}

    def test_other_people_have_their_own(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_sessions_per_person=SESSIONS + 1)
        assert crowd.open_sessions(0, 1)[0].status_code == 200

        assert crowd.open_sessions(1, 1)[0].status_code == 200

    def test_deleting_one_makes_room(self, make_crowd: MakeCrowd) -> None:
        crowd = make_crowd(max_sessions_per_person=SESSIONS)
        assert crowd.open_sessions(0, 1)[0].status_code == 409

        crowd.delete_session(0, 0)

        assert crowd.open_sessions(0, 1)[0].status_code == 200
