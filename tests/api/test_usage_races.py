"""Limits on language models with turns at once, over connections that commit: stops, erasure, the last tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from maverik_backend.clients.llm.base import Completion, ModelRequest, OnText
from maverik_backend.container import make_ledger
from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import Cancelled, TooManyAtOnce
from maverik_backend.services.usage import Demand
from maverik_backend.settings import Settings
from maverik_backend.web.resources import Resources
from tests.support.fixtures.database import connected, rows
from tests.support.fixtures.people import TestUser
from tests.support.models import USAGE, ScriptedModel, at_application
from tests.support.streams import EVENTS
from tests.support.waiting import eventually

AT_ONCE = 6
TOKENS = USAGE.input_tokens + USAGE.output_tokens
LEDGER = "SELECT pedidos, tokens_entrada, tokens_salida FROM consumo"
RESERVED = "SELECT id FROM reserva_consumo"


@pytest.fixture
def settings(own_database: Settings, tmp_path: Path) -> Settings:
    """A database of the test's own: turns at once need connections that really commit."""
    app = own_database.app.model_copy(update={"local_data_dir": tmp_path})
    return own_database.model_copy(update={"app": app})


@pytest.fixture
def database(own_database: Settings) -> Iterator[Database]:
    with connected(own_database) as database:
        yield database


class GatedModel(ScriptedModel):
    """Says the first word, and the rest once ``gate`` is open; cancelled before, it ends as providers do."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.asked = threading.Semaphore(0)
        self.asked_times = 0

    def complete(self, request: ModelRequest, *, on_text: OnText | None = None, deadline: Deadline) -> Completion:
        if on_text is not None:
            on_text("Conviene esperar. ")
        self.asked_times += 1
        self.asked.release()
        with deadline.cancellation.calling(self.gate.set):
            assert self.gate.wait(timeout=60)
        if deadline.is_cancelled:
            raise Cancelled
        return super().complete(request, on_text=on_text, deadline=deadline)


@pytest.fixture
def model() -> GatedModel:
    return GatedModel()


def at_limit(resources: Resources, user: TestUser, model: ScriptedModel, *, tokens: int) -> TestUser:
    at_once = {"max_concurrent_turns_per_person": AT_ONCE}
    return at_application(resources, user, model, usage={"tokens_per_day": tokens}, advice=at_once)


def ask(user: TestUser, session: Any, **headers: str) -> Any:
    return user.post(f"/copilot/sessions/{session['id']}", {"input": "¿Qué es un bono?"}, headers=headers)


def test_of_turns_at_once_one_gets_the_last_tokens(
    resources: Resources, user: TestUser, model: GatedModel, own_database: Settings
) -> None:
    person = at_limit(resources, user, model, tokens=TOKENS)
    sessions = [person.open_session() for _ in range(AT_ONCE)]
    barrier = threading.Barrier(AT_ONCE)

    def ask_together(session: Any) -> Any:
        barrier.wait(timeout=60)
        return ask(person, session)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(ask_together, session) for session in sessions]
        try:
            eventually(lambda: model.asked_times + sum(answer.done() for answer in answers) == AT_ONCE)
        finally:
            model.gate.set()
        responses = [answer.result(timeout=60) for answer in answers]

    assert sorted(response.status_code for response in responses) == [200] + [429] * (AT_ONCE - 1)
    refused = {response.json()["error"] for response in responses if response.status_code == 429}
    assert refused == {"too many at once"}
    assert model.asked_times == 1
    assert rows(own_database, LEDGER) == [{"pedidos": 1, "tokens_entrada": 100, "tokens_salida": 20}]
    assert rows(own_database, RESERVED) == []
    assert ask(person, sessions[0]).json()["error"] == "quota used up"


def test_turns_at_once_that_fit_are_all_booked(
    resources: Resources, user: TestUser, model: GatedModel, own_database: Settings
) -> None:
    person = at_limit(resources, user, model, tokens=10**9)
    sessions = [person.open_session() for _ in range(AT_ONCE)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(partial(ask, person), session) for session in sessions]
        eventually(lambda: model.asked_times == AT_ONCE)
        assert len(rows(own_database, RESERVED)) == AT_ONCE
        model.gate.set()
        assert [answer.result(timeout=60).status_code for answer in answers] == [200] * AT_ONCE

    expected = {"pedidos": AT_ONCE, "tokens_entrada": 100 * AT_ONCE, "tokens_salida": 20 * AT_ONCE}
    assert rows(own_database, LEDGER) == [expected]
    assert rows(own_database, RESERVED) == []


def test_a_stopped_turn_has_used_what_was_sent_and_came(
    resources: Resources, user: TestUser, model: GatedModel, own_database: Settings
) -> None:
    person = at_limit(resources, user, model, tokens=10**9)
    session = person.open_session()
    path = f"/copilot/sessions/{session['id']}"

    with ThreadPoolExecutor(1) as pool:
        streamed = pool.submit(partial(ask, person, session, **EVENTS))
        assert model.asked.acquire(timeout=60)
        (turn,) = person.get(path).json()
        assert person.post(f"{path}/turns/{turn['id']}/stop").status_code == 200
        streamed.result(timeout=60)

    assert person.get(path).json()[0]["estado"] == "detenida"
    ((used),) = rows(own_database, LEDGER)
    assert used["pedidos"] == 1
    assert used["tokens_entrada"] > 100
    assert used["tokens_salida"] == 6  # 18 characters
    assert rows(own_database, RESERVED) == []


def test_nothing_is_booked_for_a_person_that_was_erased_in_the_middle(
    resources: Resources, user: TestUser, model: GatedModel, own_database: Settings
) -> None:
    person = at_limit(resources, user, model, tokens=10**9)
    session = person.open_session()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(partial(ask, person), session)
        assert model.asked.acquire(timeout=60)
        assert person.delete("/user/me", {"clave": person.key}).status_code == 204
        model.gate.set()
        assert answer.result(timeout=60).status_code == 404

    assert rows(own_database, LEDGER) == []
    assert rows(own_database, RESERVED) == []


def test_a_reservation_waits_for_one_that_is_not_committed(
    resources: Resources, user: TestUser, own_database: Settings
) -> None:
    usage = resources.settings.usage.model_copy(update={"tokens_per_day": 10})
    settings = resources.settings.model_copy(update={"usage": usage})
    ledger = make_ledger(settings, resources.clients, metrics=Metrics())
    person = rows(own_database, "SELECT id FROM usuario")[0]["id"]
    demand = Demand(model="scripted:test", input_tokens=10, output_tokens=0)
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    del user

    def reserve() -> None:
        with resources.database.transaction() as db:
            ledger.reserve(db, principal_id=person, demand=demand)

    with ThreadPoolExecutor(1) as pool:
        with resources.database.transaction() as db:
            ledger.reserve(db, principal_id=person, demand=demand)
            second = pool.submit(reserve)
            eventually(lambda: second.done() or bool(rows(own_database, waiting)))
        with pytest.raises(TooManyAtOnce):
            second.result(timeout=60)
