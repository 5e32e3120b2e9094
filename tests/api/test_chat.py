"""The life of a turn, through the API."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from maverik_backend.api import create_app
from maverik_backend.clients.optimizer.base import RiskProfile
from maverik_backend.clients.rag.base import Answer
from maverik_backend.errors import UpstreamBadAnswer, UpstreamRejected, UpstreamTimeout, UpstreamUnreachable
from maverik_backend.services.sessions.advisory import PORTFOLIO_GRACE_S
from maverik_backend.web.resources import Resources
from tests.support.answers import fields_refused
from tests.support.fixtures.application import ANSWER, ScriptedAdvisor, ScriptedOptimizer, make_allocation
from tests.support.fixtures.database import OneConnection
from tests.support.fixtures.people import TestUser


class TestAnswer:
    def test_it_has_what_frontends_use(self, user: TestUser) -> None:
        session = user.open_session()

        turn = user.say(session, "¿Qué es un bono?")

        assert turn["sesion_asesoria_id"] == session["id"]
        assert turn["input"] == "¿Qué es un bono?"
        assert turn["output"].startswith(ANSWER)

    def test_it_says_who_answered_and_on_what(self, user: TestUser) -> None:
        turn = user.say(user.open_session())

        assert (turn["estado"], turn["origen"], turn["fuentes"]) == ("completada", "rag", ["Presupuesto"])

    def test_a_first_turn_without_text_says_what_the_profile_says(
        self, user: TestUser, advisor: ScriptedAdvisor
    ) -> None:
        session = user.open_session()

        turn = user.say(session, None)

        assert turn["input"] == session["primer_input"] == advisor.questions[0].input

    def test_a_later_turn_needs_a_text(self, user: TestUser) -> None:
        session = user.open_session()
        user.say(session)

        response = user.post(f"/copilot/sessions/{session['id']}", {"input": None})

        assert set(fields_refused(response)) == {"input"}

    @pytest.mark.parametrize("said", ["", "  \n ", "x" * 8001, "a\x00b", 5, ["a"]], ids=range(6))
    def test_a_text_without_sense_is_refused_and_not_stored(self, user: TestUser, said: Any) -> None:
        session = user.open_session()

        response = user.post(f"/copilot/sessions/{session['id']}", {"input": said})

        assert set(fields_refused(response)) == {"input"}
        assert user.get(f"/copilot/sessions/{session['id']}").json() == []

    def test_half_a_surrogate_pair_is_refused(self, user: TestUser) -> None:
        session = user.open_session()

        response = user.request(
            "POST",
            f"/copilot/sessions/{session['id']}",
            content=b'{"input": "\\ud800"}',
            headers={"Content-Type": "application/json"},
        )

        assert set(fields_refused(response)) == {"input"}

    def test_8000_characters_of_any_script_are_kept_as_they_are(self, user: TestUser) -> None:
        said = ("¿ñandú? 💸 中文 " * 1000)[:7999] + "."

        turn = user.say(user.open_session(), said)

        assert turn["input"] == said

    def test_the_answer_is_cleaned(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        advisor.queue.append(Answer(text="Hola\x00 <script>x()</script>![a](https://evil.example/?d=1)", origin="rag"))

        output = user.say(user.open_session())["output"]

        assert output.startswith("Hola")
        assert not any(part in output for part in ("\x00", "<script", "evil"))


class TestWhatTheAdvisorIsTold:
    def test_the_profile_and_the_session_in_words(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        user.say(user.open_session(horizonte_temporal=24))

        profile = advisor.questions[0].user_profile
        assert "Nivel educativo: Superior." in profile
        assert "Horizonte temporal: 2 años." in profile
        assert "Tolerancia al riesgo: media." in profile

    def test_earlier_turns_oldest_first(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()
        first, second = user.say(session, "uno"), user.say(session, "dos")

        user.say(session, "tres")

        assert advisor.questions[-1].chat_history == (
            ("uno", first["output_markdown"]),
            ("dos", second["output_markdown"]),
        )

    def test_a_fallback_is_never_sent_as_history(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()
        advisor.queue.append(UpstreamTimeout("rag"))
        user.say(session, "uno")

        user.say(session, "dos")

        assert advisor.questions[-1].chat_history == ()

    def test_an_outage_does_not_make_it_forget_what_was_said_before(
        self, user: TestUser, advisor: ScriptedAdvisor
    ) -> None:
        session = user.open_session()
        first = user.say(session, "uno")
        for _ in range(21):
            advisor.queue.append(UpstreamTimeout("rag"))
            user.say(session, "¿hola?")

        user.say(session, "dos")

        assert advisor.questions[-1].chat_history == (("uno", first["output_markdown"]),)

    def test_the_latest_turns_that_fit_the_window(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()
        for number in range(22):
            user.say(session, f"turno {number}")

        user.say(session, "otro")

        history = advisor.questions[-1].chat_history
        assert (len(history), history[0][0], history[-1][0]) == (20, "turno 2", "turno 21")

    def test_no_transaction_is_open_meanwhile(
        self, user: TestUser, advisor: ScriptedAdvisor, database: OneConnection
    ) -> None:
        during: list[int] = []
        ask = advisor.answer

        def answer(*args: Any, **kwargs: Any) -> Answer:
            during.append(database.open_transactions)
            return ask(*args, **kwargs)

        advisor.answer = answer  # type: ignore[method-assign] # the fake is ours
        with database.transaction():
            assert database.open_transactions == 1
        user.say(user.open_session())

        assert during == [0]


class TestFallback:
    @pytest.mark.parametrize(
        "failure",
        [UpstreamTimeout("rag"), UpstreamUnreachable("rag"), UpstreamRejected("rag", 500), UpstreamBadAnswer("rag")],
        ids=lambda failure: failure.kind,
    )
    def test_a_failing_advisor_gives_an_honest_text_and_status_200(
        self, user: TestUser, advisor: ScriptedAdvisor, connection: Connection, failure: Exception
    ) -> None:
        advisor.queue.append(failure)

        turn = user.say(user.open_session(), "hola")

        assert turn["estado"] == turn["origen"] == "respaldo"
        assert "volvé a mandarlo" in turn["output"]
        kind = text("SELECT error FROM sesion_asesoria_detalle WHERE id = :id")
        assert connection.scalar(kind, {"id": turn["id"]}) == failure.kind  # type: ignore[attr-defined]

    def test_a_fallback_advisor_has_its_say(
        self, user: TestUser, advisor: ScriptedAdvisor, resources: Resources
    ) -> None:
        fallback = ScriptedAdvisor()
        fallback.queue.append(Answer(text="Guardá tres meses de gastos.", origin="integrado", sources=("Fondo",)))
        clients = replace(resources.clients, fallback=fallback)
        with_rag = resources.settings.advice.model_copy(update={"rag_service_url": "http://127.0.0.1:9"})
        settings = resources.settings.model_copy(update={"advice": with_rag})
        app = create_app(settings, clients=clients, database=resources.database)
        same_user = TestUser(TestClient(app), email=user.email, key=user.key, token=user.token, refresh_token="")
        advisor.queue.append(UpstreamTimeout("rag"))

        turn = same_user.say(same_user.open_session(), "hola")

        assert (turn["estado"], turn["origen"], turn["fuentes"]) == ("respaldo", "respaldo", ["Fondo"])
        assert "Guardá tres meses de gastos." in turn["output"]

    def test_an_answer_with_nothing_left_after_cleaning_is_a_failure(
        self, user: TestUser, advisor: ScriptedAdvisor
    ) -> None:
        advisor.queue.append(Answer(text="<script>x()</script>\x00", origin="rag"))

        assert user.say(user.open_session())["estado"] == "respaldo"

    def test_what_the_person_said_survives_an_unexpected_failure(
        self, user: TestUser, advisor: ScriptedAdvisor
    ) -> None:
        session = user.open_session()
        advisor.queue.append(RuntimeError("a defect"))

        response = user.post(f"/copilot/sessions/{session['id']}", {"input": "importante"})

        assert response.status_code == 500
        assert "a defect" not in response.text
        (turn,) = user.get(f"/copilot/sessions/{session['id']}").json()
        assert (turn["input"], turn["estado"]) == ("importante", "pendiente")
        assert turn["output"]

    def test_a_fallback_leaves_the_profile_to_speak_again(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        session = user.open_session()
        advisor.queue.append(UpstreamTimeout("rag"))
        user.say(session, None)

        assert user.say(session, None)["input"] == session["primer_input"]


EXPERT = {
    "conocimiento_alt_inversion_id": 5,
    "experiencia_invirtiendo_id": 4,
    "tiempo_mantener_inversion_id": 4,
    "busca_invertir_en_id": 4,
    "proporcion_inversion_mantener_id": 3,
}


class TestPortfolio:
    def test_the_first_answer_carries_one_as_text_and_as_data(self, user: TestUser) -> None:
        turn = user.say(user.open_session())

        portfolio = turn["portafolio"]
        assert "Acciones 40,0\xa0%, Bonos 40,0\xa0%" in turn["output"]
        assert {key: portfolio[key] for key in ("perfil_riesgo", "activos", "origen", "retorno_esperado")} == {
            "perfil_riesgo": "moderate",
            "activos": [
                {"activo": "Acciones", "peso": 40.0},
                {"activo": "Bonos", "peso": 40.0},
                {"activo": "Fondo money market (en la moneda en que vas a gastar)", "peso": 20.0},
            ],
            "origen": "optimizador",
            "retorno_esperado": None,
        }
        assert portfolio["motivos"]
        assert portfolio["advertencias"]
        assert portfolio["perdida_posible"] == 26.2

    def test_later_answers_carry_none(self, user: TestUser, optimizer: ScriptedOptimizer) -> None:
        session = user.open_session()
        user.say(session)

        assert user.say(session, "¿y ahora?")["portafolio"] is None
        assert len(optimizer.profiles) == 1

    @pytest.mark.parametrize(
        ("tolerance", "profile"),
        [
            (1, RiskProfile.CONSERVATIVE),
            (2, RiskProfile.MODERATE),
            (3, RiskProfile.BOLD),
            (None, RiskProfile.CONSERVATIVE),
        ],
    )
    def test_the_risk_tolerance_of_an_expert_with_time_chooses_the_profile(
        self, user: TestUser, optimizer: ScriptedOptimizer, tolerance: int | None, profile: RiskProfile
    ) -> None:
        user.patch("/user/me", EXPERT)
        user.say(user.open_session(tolerancia_al_riesgo_id=tolerance, horizonte_temporal=120))

        assert optimizer.profiles == [profile]

    def test_a_person_with_little_experience_gets_no_more_than_suits(
        self, user: TestUser, optimizer: ScriptedOptimizer
    ) -> None:
        turn = user.say(user.open_session(tolerancia_al_riesgo_id=3, horizonte_temporal=120))

        assert optimizer.profiles == [RiskProfile.MODERATE]
        assert any("experiencia" in reason for reason in turn["portafolio"]["motivos"])

    def test_money_needed_within_a_year_stays_liquid_and_no_optimiser_is_asked(
        self, user: TestUser, optimizer: ScriptedOptimizer
    ) -> None:
        portfolio = user.say(user.open_session(horizonte_temporal=3, tolerancia_al_riesgo_id=3))["portafolio"]

        assert [asset["peso"] for asset in portfolio["activos"]] == [100.0]
        assert "money market" in portfolio["activos"][0]["activo"]
        assert optimizer.profiles == []

    def test_general_knowledge_carries_none(self, user: TestUser, optimizer: ScriptedOptimizer) -> None:
        assert user.say(user.open_session(), "¿qué es un plazo fijo?")["portafolio"] is None
        assert optimizer.profiles == []

    def test_a_session_without_a_goal_carries_one_only_when_asked(self, user: TestUser) -> None:
        session = user.open_session(
            proposito_sesion_id=1,
            objetivo_id=None,
            capital_inicial=None,
            horizonte_temporal=None,
            tolerancia_al_riesgo_id=None,
        )

        assert user.say(session)["portafolio"] is None
        assert user.say(session, "¿qué portafolio me recomendás?")["portafolio"] is not None

    def test_it_comes_again_when_the_facts_change(self, user: TestUser) -> None:
        session = user.open_session()
        first = user.say(session)
        user.patch("/user/me", {"proporcion_inversion_mantener_id": 1})

        again = user.say(session, "¿y ahora?")

        assert (first["portafolio"]["perfil_riesgo"], again["portafolio"]["perfil_riesgo"]) == (
            "moderate",
            "conservative",
        )
        assert user.say(session, "¿y ahora?")["portafolio"] is None

    def test_one_that_would_have_to_be_replaced_nearly_whole_is_refused_with_a_reason(
        self, user: TestUser, optimizer: ScriptedOptimizer
    ) -> None:
        optimizer.queue.append(make_allocation(assets=["Bitcoin"], weights_pct=[100]))

        turn = user.say(user.open_session())

        assert turn["portafolio"] is None
        assert "No te muestro un portafolio" in turn["output"]

    @pytest.mark.parametrize(
        "nonsense",
        [
            make_allocation(weights_pct=[float("nan"), 100]),
            make_allocation(weights_pct=[100]),
            make_allocation(weights_pct=[-20, 120]),
            make_allocation(weights_pct=[10, 10]),
            make_allocation(assets=["a\x00b", "c"]),
            UpstreamTimeout("optimizer"),
            UpstreamRejected("optimizer", 500),
            make_allocation(weights_pct=[10**400, 1]),
            RuntimeError("a defect"),
        ],
        ids=range(9),
    )
    def test_a_failing_optimizer_costs_the_portfolio_never_the_answer(
        self, user: TestUser, optimizer: ScriptedOptimizer, nonsense: Any
    ) -> None:
        optimizer.queue.append(nonsense)

        turn = user.say(user.open_session())

        assert (turn["estado"], turn["portafolio"], turn["output"]) == ("completada", None, ANSWER)

    def test_a_later_answer_does_not_wait_for_a_portfolio_at_all(
        self, user: TestUser, optimizer: ScriptedOptimizer
    ) -> None:
        session = user.open_session()
        optimizer.queue.append(UpstreamTimeout("optimizer"))
        user.say(session)
        optimizer.gate.clear()

        began = time.monotonic()
        with capture_logs() as logs:
            turn = user.say(session, "¿y ahora?")
        took_s = time.monotonic() - began
        optimizer.gate.set()

        assert (turn["estado"], turn["portafolio"]) == ("completada", None)
        assert took_s < PORTFOLIO_GRACE_S
        assert [(line["turn_id"], line["kind"]) for line in logs if line["event"] == "optimizer_failed"] == [
            (turn["id"], "late")
        ]

    def test_a_session_carries_one_portfolio_however_long_it_gets(
        self, user: TestUser, optimizer: ScriptedOptimizer
    ) -> None:
        session = user.open_session()
        for number in range(25):
            user.say(session, f"turno {number}")

        assert len(optimizer.profiles) == 1

    def test_a_session_that_missed_it_gets_it_with_the_next_answer(
        self, user: TestUser, optimizer: ScriptedOptimizer
    ) -> None:
        session = user.open_session()
        optimizer.queue.append(UpstreamTimeout("optimizer"))
        user.say(session)

        assert user.say(session, "¿y ahora?")["portafolio"] is not None

    def test_what_is_no_advice_carries_none_and_the_next_answer_does(
        self, user: TestUser, advisor: ScriptedAdvisor
    ) -> None:
        session = user.open_session()
        advisor.queue.append(Answer(text="¡Hola!", origin="integrado", is_advice=False))

        greeting, advice = user.say(session, "hola"), user.say(session, "¿Qué hago con mis ahorros?")

        assert (greeting["output"], greeting["portafolio"]) == ("¡Hola!", None)
        assert advice["portafolio"] is not None

    def test_a_fallback_carries_it_too(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        advisor.queue.append(UpstreamTimeout("rag"))

        assert user.say(user.open_session())["portafolio"] is not None


class TestHistory:
    def test_it_is_what_was_answered_oldest_first(self, user: TestUser) -> None:
        session = user.open_session()
        turns = [user.say(session, said) for said in ("uno", "dos", "tres")]

        assert user.get(f"/copilot/sessions/{session['id']}").json() == turns

    def test_a_pending_turn_of_a_release_without_leases_reads_as_interrupted_in_the_end(
        self, user: TestUser, connection: Connection
    ) -> None:
        session = user.open_session()
        insert = text(
            "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, fecha_intento) "
            "VALUES (:id, :said, now() - :age * interval '1 second')"
        )
        for said, age in (("vieja", 400), ("nueva", 1)):
            connection.execute(insert, {"id": session["id"], "said": said, "age": age})

        turns = user.get(f"/copilot/sessions/{session['id']}").json()

        assert [turn["estado"] for turn in turns] == ["interrumpida", "pendiente"]
        assert turns[0]["output"] != turns[1]["output"]

    def test_an_old_answer_without_text_is_shown_as_it_is(self, user: TestUser, connection: Connection) -> None:
        session = user.open_session()
        connection.execute(
            text(
                "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado) "
                "VALUES (:id, 'vieja', '', 'completada')"
            ),
            {"id": session["id"]},
        )

        (turn,) = user.get(f"/copilot/sessions/{session['id']}").json()

        assert (turn["output"], turn["estado"]) == ("", "completada")

    def test_a_new_session_has_none(self, user: TestUser) -> None:
        assert user.get(f"/copilot/sessions/{user.open_session()['id']}").json() == []

    def test_a_turn_from_before_the_columns_existed_is_shown(self, user: TestUser, connection: Connection) -> None:
        session = user.open_session()
        connection.execute(
            text(
                "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado, "
                "fecha_creacion) VALUES (:id, 'vieja', 'respuesta', 'completada', NULL)"
            ),
            {"id": session["id"]},
        )

        (turn,) = user.get(f"/copilot/sessions/{session['id']}").json()

        assert (turn["input"], turn["output"], turn["fecha_creacion"]) == ("vieja", "respuesta", None)


def test_a_session_deleted_while_it_is_answered_is_gone(user: TestUser, advisor: ScriptedAdvisor) -> None:
    session = user.open_session()
    ask = advisor.answer

    def answer(*args: Any, **kwargs: Any) -> Answer:
        user.delete(f"/copilot/sessions/{session['id']}")
        return ask(*args, **kwargs)

    advisor.answer = answer  # type: ignore[method-assign] # the fake is ours

    assert user.post(f"/copilot/sessions/{session['id']}", {"input": "hola"}).status_code == 404
