"""Turns one by one: reading them, trying them again, and never doing anything twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.registry import Clients
from maverik_backend.core.security import PasswordHasher
from maverik_backend.errors import UpstreamTimeout
from maverik_backend.settings import Settings
from maverik_backend.web.resources import resources_of
from tests.support.answers import fields_refused
from tests.support.fixtures.application import ScriptedAdvisor, ScriptedOptimizer
from tests.support.fixtures.people import TestUser, delivering, sign_up_and_in

KEY = {"Idempotency-Key": "pedido-1"}


def path_of(session: Any, *more: object) -> str:
    return "/".join(["/copilot/sessions", str(session["id"]), *map(str, more)])


def interrupt(connection: Connection, turn_id: int) -> None:
    """Make the turn look as one whose process was killed a while ago."""
    statement = text(
        "UPDATE sesion_asesoria_detalle SET estado = 'pendiente', texto_sistema = NULL, "
        "fecha_intento = now() - interval '1 hour', vence = now() - interval '1 hour', proceso_id = NULL WHERE id = :id"
    )
    connection.execute(statement, {"id": turn_id})


class TestGetTurn:
    def test_it_is_what_was_answered(self, user: TestUser) -> None:
        session = user.open_session()
        turn = user.say(session, "hola")

        assert user.get(path_of(session, "turns", turn["id"])).json() == turn

    def test_a_turn_of_another_session_is_not_found(self, user: TestUser) -> None:
        session, other = user.open_session(), user.open_session()
        turn = user.say(other, "hola")

        assert user.get(path_of(session, "turns", turn["id"])).status_code == 404


class TestHistoryPages:
    def test_a_page_holds_the_latest_oldest_first_and_leads_to_the_one_before(self, user: TestUser) -> None:
        session = user.open_session()
        turns = [user.say(session, f"turno {number}") for number in range(5)]

        last = user.get(path_of(session) + "?limit=2").json()
        before = user.get(path_of(session) + f"?limit=2&before={last[0]['id']}").json()
        first = user.get(path_of(session) + f"?limit=2&before={before[0]['id']}").json()

        assert [*first, *before, *last] == turns

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=0", "before=x"])
    def test_a_page_without_sense_is_refused(self, user: TestUser, query: str) -> None:
        response = user.get(path_of(user.open_session()) + f"?{query}")

        assert set(fields_refused(response)) == {query.partition("=")[0]}


class TestRetry:
    def test_a_fallback_is_answered_again_in_place(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()
        advisor.queue.append(UpstreamTimeout("rag"))
        turn = user.say(session, "hola")

        again = user.post(path_of(session, "turns", turn["id"], "retry")).json()

        assert (again["id"], again["input"], again["estado"]) == (turn["id"], "hola", "completada")
        assert user.get(path_of(session)).json() == [again]

    def test_an_interrupted_turn_is_answered_again_in_place(self, user: TestUser, connection: Connection) -> None:
        session = user.open_session()
        turn = user.say(session, "hola")
        interrupt(connection, turn["id"])
        assert user.get(path_of(session, "turns", turn["id"])).json()["estado"] == "interrumpida"

        again = user.post(path_of(session, "turns", turn["id"], "retry"))

        assert again.json()["estado"] == "completada"

    def test_it_is_told_only_what_came_before(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()
        first = user.say(session, "uno")
        advisor.queue.append(UpstreamTimeout("rag"))
        lost = user.say(session, "dos")
        user.say(session, "tres")

        user.post(path_of(session, "turns", lost["id"], "retry"))

        assert advisor.questions[-1].chat_history == (("uno", first["output_markdown"]),)

    def test_it_keeps_the_portfolio_that_it_had(
        self, user: TestUser, advisor: ScriptedAdvisor, optimizer: ScriptedOptimizer
    ) -> None:
        session = user.open_session()
        advisor.queue.append(UpstreamTimeout("rag"))
        turn = user.say(session)

        again = user.post(path_of(session, "turns", turn["id"], "retry")).json()

        assert again["portafolio"] == turn["portafolio"]
        assert len(optimizer.profiles) == 1

    def test_an_answered_turn_has_nothing_to_retry(self, user: TestUser) -> None:
        session = user.open_session()
        turn = user.say(session)

        response = user.post(path_of(session, "turns", turn["id"], "retry"))

        assert (response.status_code, response.json()["error"]) == (409, "nothing to retry")

    def test_a_turn_of_another_session_is_not_found(self, user: TestUser) -> None:
        session, other = user.open_session(), user.open_session()
        turn = user.say(other, "hola")

        assert user.post(path_of(session, "turns", turn["id"], "retry")).status_code == 404

    def test_an_answer_that_comes_after_a_later_try_began_is_dropped(
        self, user: TestUser, advisor: ScriptedAdvisor, connection: Connection
    ) -> None:
        session = user.open_session()
        ask = advisor.answer

        def answer_late(*args: Any, **kwargs: Any) -> Any:
            advisor.answer = ask  # type: ignore[method-assign] # the fake is ours
            turn_id = connection.scalar(text("SELECT max(id) FROM sesion_asesoria_detalle"))
            interrupt(connection, turn_id)
            assert user.post(path_of(session, "turns", turn_id, "retry")).status_code == 200
            return ask(*args, **kwargs)

        advisor.answer = answer_late  # type: ignore[method-assign]
        late = user.post(path_of(session), {"input": "hola"})

        (turn,) = user.get(path_of(session)).json()
        assert (late.status_code, turn["estado"]) == (404, "completada")


class TestIdempotency:
    def test_the_same_request_gets_the_same_answer_once_more(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()

        first, second = (user.post(path_of(session), {"input": "hola"}, headers=KEY) for _ in range(2))

        assert second.json() == first.json()
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert len(advisor.questions) == 1

    @pytest.mark.parametrize("other", ["another text", "another session"])
    def test_the_same_key_for_another_request_is_refused(self, user: TestUser, other: str) -> None:
        session = user.open_session()
        user.post(path_of(session), {"input": "hola"}, headers=KEY)
        target = user.open_session() if other == "another session" else session

        response = user.post(path_of(target), {"input": "hola" if target != session else "chau"}, headers=KEY)

        assert (response.status_code, response.json()["error"]) == (422, "idempotency key reused")

    def test_a_turn_that_was_left_behind_is_answered_when_its_request_comes_again(
        self, user: TestUser, advisor: ScriptedAdvisor, connection: Connection
    ) -> None:
        session = user.open_session()
        turn = user.post(path_of(session), {"input": "hola"}, headers=KEY).json()
        interrupt(connection, turn["id"])

        again = user.post(path_of(session), {"input": "hola"}, headers=KEY)

        assert (again.json()["id"], again.json()["estado"]) == (turn["id"], "completada")
        assert "Idempotency-Replayed" not in again.headers
        assert len(advisor.questions) == 2
        assert len(user.get(path_of(session)).json()) == 1

    def test_a_key_belongs_to_its_person(self, user: TestUser, other_user: TestUser) -> None:
        for somebody in (user, other_user):
            response = somebody.post(path_of(somebody.open_session()), {"input": "hola"}, headers=KEY)
            assert response.status_code == 200
            assert "Idempotency-Replayed" not in response.headers

    def test_a_refused_request_does_not_use_its_key_up(self, user: TestUser) -> None:
        session = user.open_session()
        assert user.post(path_of(session), {"input": ""}, headers=KEY).status_code == 422

        assert user.post(path_of(session), {"input": "hola"}, headers=KEY).status_code == 200

    def test_deleting_the_session_forgets_its_keys(self, user: TestUser) -> None:
        session = user.open_session()
        user.post(path_of(session), {"input": "hola"}, headers=KEY)
        user.delete(path_of(session))

        assert user.post(path_of(user.open_session()), {"input": "hola"}, headers=KEY).status_code == 200

    @pytest.mark.parametrize("key", ["", "x" * 256, "con espacio", "ñ".encode("latin-1")], ids=range(4))
    def test_a_malformed_key_is_refused(self, user: TestUser, key: Any) -> None:
        response = user.post(path_of(user.open_session()), {"input": "hola"}, headers={"Idempotency-Key": key})

        assert fields_refused(response)


@pytest.fixture
def people_at_once(
    own_database: Settings,
    advisor: ScriptedAdvisor,
    optimizer: ScriptedOptimizer,
    mailbox: LocalMailbox,
    cheap_hasher: PasswordHasher,
) -> Iterator[Callable[..., TestUser]]:
    """Makes somebody whose requests really run at the same time: connections of their own, commits that last."""
    clients = Clients(advisor=advisor, optimizer=optimizer, mail=mailbox)
    apps = []

    def make(**advice: Any) -> TestUser:
        changed = own_database.advice.model_copy(update=advice)
        settings = own_database.model_copy(update={"advice": changed})
        app = create_app(settings, clients=clients, hasher=cheap_hasher)
        apps.append(app)
        api = TestClient(app, raise_server_exceptions=False)
        return sign_up_and_in(api, delivering(resources_of(app), mailbox))

    yield make
    for app in apps:
        resources_of(app).close(grace_s=10)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=8) as pool:
        yield pool


class TestAtOnce:
    def start(self, pool: ThreadPoolExecutor, user: TestUser, session: Any, advisor: ScriptedAdvisor) -> Future[Any]:
        """A turn that the advisor is asked about and does not answer yet."""
        advisor.gate.clear()
        running = pool.submit(user.post, path_of(session), {"input": "uno"}, headers=KEY)
        assert advisor.asked.acquire(timeout=60)
        return running

    def test_another_turn_in_the_session_is_told_to_wait(
        self, people_at_once: Callable[..., TestUser], pool: ThreadPoolExecutor, advisor: ScriptedAdvisor
    ) -> None:
        user = people_at_once()
        session = user.open_session()
        running = self.start(pool, user, session, advisor)

        second = user.post(path_of(session), {"input": "dos"})
        advisor.gate.set()

        assert (second.status_code, second.json()["error"]) == (409, "turn in progress")
        assert 1 <= int(second.headers["Retry-After"]) <= 20
        assert running.result().status_code == 200
        assert len(user.get(path_of(session)).json()) == 1

    def test_the_same_request_is_told_to_wait(
        self, people_at_once: Callable[..., TestUser], pool: ThreadPoolExecutor, advisor: ScriptedAdvisor
    ) -> None:
        user = people_at_once()
        session = user.open_session()
        running = self.start(pool, user, session, advisor)

        again = user.post(path_of(session), {"input": "uno"}, headers=KEY)
        advisor.gate.set()

        assert (again.status_code, again.headers["Retry-After"]) == (409, "1")
        assert running.result().status_code == 200

    def test_another_session_of_the_person_goes_on(
        self, people_at_once: Callable[..., TestUser], pool: ThreadPoolExecutor, advisor: ScriptedAdvisor
    ) -> None:
        user = people_at_once()
        session, other = user.open_session(), user.open_session()
        running = self.start(pool, user, session, advisor)
        second = pool.submit(user.post, path_of(other), {"input": "dos"})
        assert advisor.asked.acquire(timeout=60)

        advisor.gate.set()

        assert {running.result().status_code, second.result().status_code} == {200}

    def test_a_first_turn_sent_many_times_at_once_is_one_turn_with_one_portfolio(
        self,
        people_at_once: Callable[..., TestUser],
        pool: ThreadPoolExecutor,
        advisor: ScriptedAdvisor,
        optimizer: ScriptedOptimizer,
    ) -> None:
        user = people_at_once(max_concurrent_turns_per_person=8)
        session = user.open_session()
        advisor.gate.clear()
        at_once = threading.Barrier(8)

        def send() -> Any:
            at_once.wait()
            return user.post(path_of(session), {"input": None}, headers=KEY)

        requests = [pool.submit(send) for _ in range(8)]
        assert advisor.asked.acquire(timeout=60)
        advisor.gate.set()
        statuses = sorted(request.result().status_code for request in requests)

        assert statuses[0] == 200
        assert set(statuses) <= {200, 409}
        assert (len(advisor.questions), len(optimizer.profiles)) == (1, 1)
        (turn,) = user.get(path_of(session)).json()
        assert turn["portafolio"] is not None

    def test_past_the_limit_a_turn_is_refused_at_once_and_leaves_nothing(
        self, people_at_once: Callable[..., TestUser], pool: ThreadPoolExecutor, advisor: ScriptedAdvisor
    ) -> None:
        user = people_at_once(max_concurrent_turns=1)
        session, other = user.open_session(), user.open_session()
        running = self.start(pool, user, session, advisor)

        refused = user.post(path_of(other), {"input": "dos"})
        health = user.get("/health")
        advisor.gate.set()

        assert (refused.status_code, refused.json()["error"]) == (503, "overloaded")
        assert refused.headers["Retry-After"]
        assert health.status_code == 200
        assert running.result().status_code == 200
        assert user.get(path_of(other)).json() == []
        assert user.post(path_of(other), {"input": "dos"}).status_code == 200
