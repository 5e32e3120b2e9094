"""What turns use of language models: on record however they end, and within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, event, text

from maverik_backend.clients.llm.base import Completion, ModelName, ModelRequest, ModelUsage, OnText
from maverik_backend.container import make_ledger
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import SettingsError, UpstreamOverloaded, UpstreamTimeout
from maverik_backend.services.usage import Price, Prices
from maverik_backend.services.usage.store import TODAY
from maverik_backend.texts import help_lines
from maverik_backend.texts.format import ARGENTINA
from maverik_backend.web.resources import Resources
from tests.support.fixtures.people import TestUser
from tests.support.models import USAGE, ScriptedModel, ScriptedModels, at_application, calls, says
from tests.support.scrape import value
from tests.support.streams import EVENTS, parts_of

TOKENS = USAGE.input_tokens + USAGE.output_tokens
COST_MICROUSD = 40 * 10 + 60 * 5 + 20 * 20
PRICES = '["scripted:*"]\ninput = 10\ncached = 5\noutput = 20\n'
METRICS_TOKEN = "una-clave-de-metricas-8Qz"
LEDGER = """
    SELECT asistente, modelo, pedidos, tokens_entrada, tokens_reutilizados, tokens_salida, tokens_razonamiento,
           costo_microusd
    FROM consumo ORDER BY asistente, modelo
"""
# What somebody used before: so many tokens and millionths of a dollar, so many days ago.
BEFORE = f"""
    INSERT INTO consumo (principal_id, dia, asistente, modelo, pedidos, tokens_entrada, tokens_reutilizados,
                         tokens_salida, tokens_razonamiento, costo_microusd)
    SELECT id, {TODAY} - CAST(:days AS integer), 'maverik', 'p:m', 1, :tokens, 0, 0, 0, :cost
    FROM usuario WHERE email = :email
"""  # noqa: S608 - a constant
RESERVED = """
    INSERT INTO reserva_consumo (principal_id, tokens, costo_microusd, vence)
    SELECT id, 1000000, 0, now() + :seconds * interval '1 second' FROM usuario WHERE email = :email
"""


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    file = tmp_path / "prices.toml"
    file.write_text(PRICES, encoding="utf-8")
    return file


SignIn = Callable[..., TestUser]


@pytest.fixture
def sign_in_with(resources: Resources, model: ScriptedModel, user: TestUser, prices: Path) -> SignIn:
    """``sign_in_with(tokens_per_day=100)``: the same person at an application with the model and these limits."""

    def make(**limits: Any) -> TestUser:
        return at_application(
            resources,
            user,
            model,
            usage={"model_prices_file": prices, **limits},
            security={"metrics_token": SecretStr(METRICS_TOKEN)},
        )

    return make


def used_before(connection: Connection, user: TestUser, *, tokens: int = 0, cost: int = 0, days: int = 0) -> None:
    connection.execute(text(BEFORE), {"email": user.email, "tokens": tokens, "cost": cost, "days": days})


def ask(user: TestUser, session: Any, **headers: str) -> Any:
    return user.post(f"/copilot/sessions/{session['id']}", {"input": "¿Qué es un bono?"}, headers=headers)


def ledger(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(LEDGER))]


def reservations(connection: Connection) -> int:
    return len(connection.execute(text("SELECT id FROM reserva_consumo")).all())


class TestLedger:
    def test_each_request_to_a_model_is_added_to_the_day(
        self, sign_in_with: SignIn, model: ScriptedModel, connection: Connection
    ) -> None:
        user = sign_in_with()
        session = user.open_session()
        model.queue += [calls("search_articles", {"query": "bonos"}), says("Un bono es un préstamo."), says("Sí.")]

        ask(user, session)
        ask(user, session)

        expected = ("maverik", "scripted:test", 3, 300, 180, 60, 15, 3 * COST_MICROUSD)
        assert ledger(connection) == [expected]

    def test_a_stream_is_booked_like_a_reply(self, sign_in_with: SignIn, connection: Connection) -> None:
        user = sign_in_with(tokens_per_day=1_000_000)

        response = ask(user, user.open_session(), **EVENTS)

        assert parts_of(response.text)[-1]["type"] == "finish"
        assert [row[2] for row in ledger(connection)] == [1]
        assert reservations(connection) == 0

    def test_a_model_that_fails_in_the_middle_is_counted_by_what_was_sent_and_came(
        self, sign_in_with: SignIn, model: ScriptedModel, connection: Connection
    ) -> None:
        user = sign_in_with()
        model.before_failure = "Lo primero es saldar la tarjeta."
        model.queue.append(UpstreamTimeout("scripted"))

        assert ask(user, user.open_session()).json()["estado"] == "respaldo"

        ((_, _, requests, sent, _, came, _, _),) = ledger(connection)
        assert requests == 1
        assert sent * 3 >= len(model.requests[0].instructions)
        assert (came - 1) * 3 < len(model.before_failure) <= came * 3

    def test_a_provider_that_refuses_costs_nothing(
        self, sign_in_with: SignIn, model: ScriptedModel, connection: Connection
    ) -> None:
        user = sign_in_with(tokens_per_day=1_000_000)
        model.queue.append(UpstreamOverloaded("scripted", 529))

        ask(user, user.open_session())

        assert (ledger(connection), reservations(connection)) == ([], 0)

    def test_a_provider_that_does_not_count_is_estimated(
        self, sign_in_with: SignIn, model: ScriptedModel, connection: Connection
    ) -> None:
        user = sign_in_with()
        completion = says("Un bono es un préstamo.")
        model.queue.append(Completion(text=completion.text, stop_reason=completion.stop_reason, usage=ModelUsage()))

        ask(user, user.open_session())

        ((_, _, _, sent, _, came, _, _),) = ledger(connection)
        assert sent * 3 >= len(model.requests[0].instructions)
        assert came == 8  # 23 characters

    def test_who_deletes_the_conversation_in_the_middle_has_used_the_tokens_nevertheless(
        self, resources: Resources, user: TestUser, connection: Connection
    ) -> None:
        session = user.open_session()
        model = _Acting(lambda: user.delete(f"/copilot/sessions/{session['id']}"))
        person = at_application(resources, user, model, usage={"tokens_per_day": 1_000_000})

        assert ask(person, session).status_code == 404
        assert [row[2] for row in ledger(connection)] == [1]
        assert reservations(connection) == 0

    def test_a_defect_behind_the_model_does_not_undo_what_it_used(
        self, sign_in_with: SignIn, model: ScriptedModel, connection: Connection
    ) -> None:
        user = sign_in_with(tokens_per_day=1_000_000)
        model.queue += [calls("search_articles", {"query": "bonos"}), ZeroDivisionError()]

        assert ask(user, user.open_session()).status_code == 500
        assert [row[2] for row in ledger(connection)] == [1]
        assert reservations(connection) == 0

    def test_without_a_model_nothing_is_asked_of_it(
        self, resources: Resources, user: TestUser, connection: Connection
    ) -> None:
        person = at_application(
            resources,
            user,
            ScriptedModel(),
            usage={"tokens_per_day": 1},
            assistants={"advisory_assistant": "maverik-integrado"},
        )
        session = person.open_session()

        with statements(connection) as executed:
            assert ask(person, session).json()["estado"] == "completada"

        assert executed
        assert not any("consumo" in statement for statement in executed)

    def test_metrics_count_tokens_and_cost_by_model(self, sign_in_with: SignIn) -> None:
        user = sign_in_with()
        ask(user, user.open_session())

        page = user.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text

        labels = {"provider": "scripted", "model": "test"}
        kinds = {"input": 40, "cached_input": 60, "output": 15, "reasoning": 5}
        assert {kind: value(page, "maverik_model_tokens_total", kind=kind, **labels) for kind in kinds} == kinds
        cost = value(page, "maverik_model_cost_usd_total", **labels)
        assert cost == pytest.approx(COST_MICROUSD / 1e6)


class _Acting(ScriptedModel):
    """Does something before it completes."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def complete(self, request: ModelRequest, *, on_text: OnText | None = None, deadline: Deadline) -> Completion:
        self._act()
        return super().complete(request, on_text=on_text, deadline=deadline)


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """The statements that are executed in the block."""
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        executed.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    yield executed
    event.remove(connection, "before_cursor_execute", note)


class TestLimits:
    @pytest.mark.parametrize("limit", ["tokens_per_day", "usd_per_day"])
    def test_a_used_up_day_says_when_it_ends(self, sign_in_with: SignIn, connection: Connection, limit: str) -> None:
        user = sign_in_with(**{limit: 1})
        used_before(connection, user, tokens=1, cost=1_000_000)
        session = user.open_session()

        response = ask(user, session)

        now: datetime = connection.execute(text("SELECT now()")).scalar_one()
        tomorrow = now.astimezone(ARGENTINA).date() + timedelta(days=1)
        assert (response.status_code, response.json()["error"]) == (429, "quota used up")
        assert f"por hoy. Vas a poder seguir a partir del {tomorrow:%d/%m/%Y} 00:00" in response.json()["detail"]
        assert 0 < int(response.headers["Retry-After"]) <= 24 * 3600
        assert user.get(f"/copilot/sessions/{session['id']}").json() == []

    @pytest.mark.parametrize("limit", ["tokens_per_month", "usd_per_month"])
    def test_a_used_up_month_says_when_it_ends(self, sign_in_with: SignIn, connection: Connection, limit: str) -> None:
        user = sign_in_with(**{limit: 1, "tokens_per_day": 1})
        used_before(connection, user, tokens=1, cost=1_000_000)

        response = ask(user, user.open_session())

        assert response.status_code == 429
        assert "este mes. Vas a poder seguir a partir del 01/" in response.json()["detail"]

    def test_a_stream_is_refused_before_it_begins(self, sign_in_with: SignIn, connection: Connection) -> None:
        user = sign_in_with(tokens_per_day=1)
        used_before(connection, user, tokens=1)

        response = ask(user, user.open_session(), **EVENTS)

        assert (response.status_code, response.headers["content-type"]) == (429, "application/problem+json")

    def test_so_is_a_retry_whose_turn_stays_as_it_was(
        self, sign_in_with: SignIn, model: ScriptedModel, connection: Connection
    ) -> None:
        user = sign_in_with(tokens_per_day=1_000)
        model.queue.append(UpstreamOverloaded("scripted", 529))
        turn = ask(user, user.open_session()).json()
        used_before(connection, user, tokens=1_000)

        path = f"/copilot/sessions/{turn['sesion_asesoria_id']}/turns/{turn['id']}"
        assert user.post(f"{path}/retry").status_code == 429
        assert user.get(path).json() == turn

    def test_a_repeated_request_gets_its_answer_although_the_day_is_used_up(self, sign_in_with: SignIn) -> None:
        user = sign_in_with(tokens_per_day=TOKENS)
        session = user.open_session()
        first = ask(user, session, **{"Idempotency-Key": "uno"})

        assert ask(user, session).status_code == 429
        assert ask(user, session, **{"Idempotency-Key": "uno"}).json() == first.json()

    def test_the_last_token_of_a_limit_can_be_used(self, sign_in_with: SignIn) -> None:
        user = sign_in_with(tokens_per_day=TOKENS + 1)
        session = user.open_session()

        assert [ask(user, session).status_code for _ in range(3)] == [200, 200, 429]

    def test_yesterday_does_not_count_for_the_day(self, sign_in_with: SignIn, connection: Connection) -> None:
        user = sign_in_with(tokens_per_day=1)
        used_before(connection, user, tokens=1, days=1)

        assert ask(user, user.open_session()).status_code == 200

    def test_nor_does_the_month_before_the_last(self, sign_in_with: SignIn, connection: Connection) -> None:
        user = sign_in_with(tokens_per_month=1)
        used_before(connection, user, tokens=1, days=31)

        assert ask(user, user.open_session()).status_code == 200

    def test_other_people_are_not_held_up(
        self, sign_in_with: SignIn, other_user: TestUser, connection: Connection
    ) -> None:
        user = sign_in_with(tokens_per_day=1)
        used_before(connection, other_user, tokens=1)

        assert ask(user, user.open_session()).status_code == 200

    def test_help_in_danger_is_given_in_any_case(self, sign_in_with: SignIn, connection: Connection) -> None:
        user = sign_in_with(tokens_per_day=1)
        used_before(connection, user, tokens=1)

        turn = user.say(user.open_session(), "no quiero vivir más")

        assert (turn["estado"], turn["origen"]) == ("completada", "integrado")
        assert help_lines.SUICIDE_METRO.number in turn["output"]

    def test_what_running_turns_have_reserved_is_not_there_for_another(
        self, sign_in_with: SignIn, connection: Connection
    ) -> None:
        user = sign_in_with(tokens_per_day=1_000)
        connection.execute(text(RESERVED), {"email": user.email, "seconds": 60})

        response = ask(user, user.open_session())

        assert (response.status_code, response.json()["error"]) == (429, "too many at once")
        assert reservations(connection) == 1

    def test_a_reservation_of_a_turn_that_died_ends_by_itself(
        self, sign_in_with: SignIn, connection: Connection
    ) -> None:
        user = sign_in_with(tokens_per_day=1_000)
        connection.execute(text(RESERVED), {"email": user.email, "seconds": -1})

        assert ask(user, user.open_session()).status_code == 200


class _Unpriced(ScriptedModels):
    """A server that speaks OpenAI's chat completions, with a model of its own."""

    @property
    def default(self) -> ModelName | None:
        return ModelName("openai", "llama3.2:3b")


class TestConfiguration:
    def test_a_limit_in_dollars_wants_a_price(self, resources: Resources) -> None:
        clients = replace(resources.clients, models=_Unpriced(ScriptedModel()))
        usage = resources.settings.usage.model_copy(update={"usd_per_day": 1.0})
        settings = resources.settings.model_copy(update={"usage": usage})

        with pytest.raises(SettingsError, match=r"but openai:llama3\.2:3b has no price: name one in MODEL_PRICES_FILE"):
            make_ledger(settings, clients, metrics=Metrics())

    def test_each_fault_of_the_prices_is_told(self, resources: Resources, user: TestUser, tmp_path: Path) -> None:
        file = tmp_path / "faulty.toml"
        file.write_text('["a:b"]\ninput = -1\noutput = 1\n["c:d"]\ninput = 1\n', encoding="utf-8")

        with pytest.raises(SettingsError) as caught:
            at_application(resources, user, ScriptedModel(), usage={"model_prices_file": file})

        assert caught.value.problems == (
            'MODEL_PRICES_FILE, "a:b": input: Input should be greater than or equal to 0.',
            'MODEL_PRICES_FILE, "c:d": output: Field required.',
        )

    def test_of_two_prices_that_fit_the_longer_pattern_counts_and_ones_own_first(self, tmp_path: Path) -> None:
        file = tmp_path / "prices.toml"
        file.write_text('["openai:*"]\ninput = 1\noutput = 1\n', encoding="utf-8")

        shipped, own = Prices.load(None), Prices.load(file)

        assert shipped.find("openai:gpt-4o-mini-2024-07-18") != shipped.find("openai:gpt-4o-2024-08-06")
        assert own.find("openai:gpt-4o-mini") == own.find("openai:llama3.2:3b") == Price(input=1, output=1)
        assert own.find("anthropic:claude-sonnet-4-5") == shipped.find("anthropic:claude-sonnet-4-5") is not None
