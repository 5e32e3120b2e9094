"""Advisory sessions that a model answers: over the API, with the shipped definition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from maverik_backend.errors import SettingsError, UpstreamOverloaded, UpstreamTimeout
from maverik_backend.texts import advice as texts
from maverik_backend.web.resources import Resources
from tests.support.fixtures.application import ANSWER
from tests.support.fixtures.people import TestUser
from tests.support.models import ScriptedModel, at_application, calls, says
from tests.support.streams import EVENTS, parts_of

RECORD = "SELECT asistente, asistente_version, error FROM sesion_asesoria_detalle WHERE id = :id"
KEPT = "SELECT contenido ->> 'instructions' FROM asistente_version WHERE asistente = :slug AND version = :version"


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


MakeApi = Callable[..., TestUser]


@pytest.fixture
def sign_in_to(resources: Resources, model: ScriptedModel, user: TestUser) -> MakeApi:
    """``sign_in_to(assistants_dir=path)``: the same person at an application with the scripted model."""

    def make(**assistants: Any) -> TestUser:
        return at_application(resources, user, model, assistants=assistants)

    return make


def test_the_default_model_answers_by_the_shipped_definition(sign_in_to: MakeApi, model: ScriptedModel) -> None:
    user = sign_in_to()
    model.queue.append(says("Un bono es un préstamo."))

    turn = user.say(user.open_session(), "¿Qué es un bono?")

    assert (turn["estado"], turn["origen"]) == ("completada", "modelo")
    assert turn["output"].startswith("Un bono es un préstamo.")
    assert "Sos Maverik" in model.requests[0].instructions


def test_it_is_told_the_profile_of_the_person(sign_in_to: MakeApi, model: ScriptedModel) -> None:
    user = sign_in_to()
    user.say(user.open_session(), "hola")
    assert "Nivel educativo" in model.requests[0].instructions


def test_the_articles_that_it_searches_are_the_sources_of_the_turn(sign_in_to: MakeApi, model: ScriptedModel) -> None:
    user = sign_in_to()
    model.queue += [calls("search_documents", {"query": "fondo de emergencia"}), says("Guardá tres meses de gastos.")]

    turn = user.say(user.open_session(), "¿Cuánto guardo?")

    assert any("emergencia" in source for source in turn["fuentes"])
    assert len(set(turn["fuentes"])) == len(turn["fuentes"]) <= len(turn["citas"])
    assert user.get(f"/copilot/sessions/{turn['sesion_asesoria_id']}").json()[0]["fuentes"] == turn["fuentes"]


def test_a_stream_shows_text_calls_and_results(sign_in_to: MakeApi, model: ScriptedModel) -> None:
    user = sign_in_to()
    session = user.open_session()
    model.queue += [calls("search_documents", {"query": "bonos"}), says("Un bono es un préstamo.")]

    response = user.post(f"/copilot/sessions/{session['id']}", {"input": "¿Qué es un bono?"}, headers=EVENTS)

    kinds = [part["type"] for part in parts_of(response.text)]
    assert kinds.index("tool-input-available") < kinds.index("tool-output-available") < kinds.index("text-delta")


def test_a_turn_tells_which_version_answered_and_its_content_is_kept(
    sign_in_to: MakeApi, connection: Connection
) -> None:
    user = sign_in_to()
    turn = user.say(user.open_session(), "hola")

    slug, version, _ = connection.execute(text(RECORD), {"id": turn["id"]}).one()

    assert slug == "maverik"
    kept = connection.scalar(text(KEPT), {"slug": slug, "version": version})
    assert kept is not None
    assert kept.startswith("Sos $assistant")


def test_a_model_that_fails_falls_back_to_the_embedded_advisor(
    sign_in_to: MakeApi, model: ScriptedModel, connection: Connection
) -> None:
    user = sign_in_to()
    model.queue.append(UpstreamOverloaded("scripted", 529))

    turn = user.say(user.open_session(), "hola")

    assert (turn["estado"], turn["origen"]) == ("respaldo", "respaldo")
    assert turn["output_markdown"].startswith(f"{texts.FALLBACK_LEAD}{ANSWER}")
    assert connection.execute(text(RECORD), {"id": turn["id"]}).one().error == "overloaded"


def test_a_model_that_fails_in_the_middle_leaves_what_came_and_says_so(
    sign_in_to: MakeApi, model: ScriptedModel
) -> None:
    user = sign_in_to()
    model.before_failure = "Lo primero es saldar la tarjeta."
    model.queue.append(UpstreamTimeout("scripted"))

    turn = user.say(user.open_session(), "hola")

    assert (turn["estado"], turn["output_markdown"]) == ("respaldo", f"Lo primero es saldar la tarjeta.{texts.CUT_OFF}")


def test_a_definition_of_ones_own_answers_when_it_is_named(
    sign_in_to: MakeApi, model: ScriptedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "assistants"
    folder.mkdir()
    (folder / "eva.md").write_text("Sos $assistant.", encoding="utf-8")
    (folder / "eva.toml").write_text('name = "Eva"\nkind = "model"\ninstructions = "eva.md"\n', encoding="utf-8")
    user = sign_in_to(assistants_dir=folder, advisory_assistant="eva")

    user.say(user.open_session(), "hola")

    assert model.requests[0].instructions.startswith("Sos Eva.")


def test_a_name_that_is_no_assistant_stops_the_start(sign_in_to: MakeApi) -> None:
    with pytest.raises(SettingsError, match='ADVISORY_ASSISTANT is "eva": there is none'):
        sign_in_to(advisory_assistant="eva")


def test_without_a_model_nothing_changes(user: TestUser, connection: Connection) -> None:
    turn = user.say(user.open_session(), "hola")
    assert turn["output"].startswith(ANSWER)
    assert connection.execute(text(RECORD), {"id": turn["id"]}).one().asistente == "maverik-integrado"
