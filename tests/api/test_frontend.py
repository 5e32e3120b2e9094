"""What the frontend in production does with our answers, replayed over HTTP.

It is fliquinuade/maverik-react. :class:`ReactApp` reads answers as its sources do: ``pages/hooks/useSignIn.js``,
``services/copilot_sessions.js``, ``services/shared/errors.js`` and ``pages/chat.jsx``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

import pytest
import requests
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.rag.base import Answer
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamUnreachable
from maverik_backend.settings import Settings
from maverik_backend.texts import problems as texts
from maverik_backend.web import problems
from tests.support.fixtures.application import ScriptedAdvisor, ScriptedOptimizer, make_allocation
from tests.support.fixtures.people import TestUser, key_in, make_profile
from tests.support.servers import RagServer, Reply
from tests.support.serving import serving

ORIGIN = {"Origin": "https://app.example.com"}
ANSWER = "## Para empezar\n\n**Separá** lo de todos los días:\n\n- un fondo\n- un [plazo fijo](https://example.com/pf)"
PLAIN = "Para empezar:\n\nSepará lo de todos los días:\n\n• un fondo\n• un plazo fijo (https://example.com/pf)"
GOAL = {"objetivo_id": 1, "capital_inicial": 15000, "horizonte_temporal": 36, "tolerancia_al_riesgo_id": 2}


class ReactApp:
    """One browser tab. ``toasts`` are what it notified, ``chats`` what it keeps to show."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http = requests.Session()
        self._http.headers.update({**ORIGIN, "Accept": "application/json, text/plain, */*"})
        self.toasts: list[str] = []
        self.chats: list[dict[str, str]] = []
        self.session_id: int | None = None
        self._title = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def sign_up(self, form: dict[str, Any]) -> None:
        """The answer is not waited for."""
        self._post("/user/signup", form)

    def log_in(self, email: str, key: str) -> None:
        """A refusal is shown as ``error`` says it; a success without a token is looked at only for an old text."""
        response = self._post("/user/login", {"email": email, "clave": key})
        body = response.json()
        if not response.ok:
            if body.get("error"):
                self.toasts.append(str(body["error"]))
        elif body.get("access_token"):
            self._http.headers["Authorization"] = f"Bearer {body['access_token']}"

    def open_chat(self, *, purpose: int, **goal: int) -> None:
        """Numbers that are not known are ``NaN``, which its JSON writes as null."""
        numbers = {"proposito_sesion_id": purpose, **{name: goal.get(name, math.nan) for name in GOAL}}
        body = {name: None if math.isnan(value) else value for name, value in numbers.items()}
        session = self._post("/copilot/sessions", body).json()
        self.session_id, self._title = session["id"], session["titulo_chat"]
        self.say(session["primer_input"])

    def say(self, message: str) -> None:
        turn = self._post(f"/copilot/sessions/{self.session_id}", {"input": message}).json()
        self.chats.append({"title": self._title, "role": "user", "content": turn["input"]})
        self.chats.append({"title": self._title, "role": "system", "content": turn["output"]})

    @property
    def titles(self) -> list[str]:
        """The side bar."""
        return list(dict.fromkeys(chat["title"] for chat in self.chats))

    def shown(self, title: str) -> list[str]:
        """The messages of a chat, as they are put on the page: text in a paragraph."""
        return [chat["content"] for chat in self.chats if chat["title"] == title]

    def _post(self, path: str, body: Any) -> requests.Response:
        return self._http.post(self._address + path, json=body, timeout=60)


@pytest.fixture
def rag() -> Iterator[RagServer]:
    with RagServer() as rag:
        yield rag


@pytest.fixture
def tab(own_database: Settings, rag: RagServer) -> Iterator[ReactApp]:
    settings = own_database.model_copy(
        update={"advice": own_database.advice.model_copy(update={"rag_service_url": rag.url})}
    )
    with serving(settings) as address, ReactApp(address) as tab:
        yield tab


def test_somebody_signs_up_and_keeps_two_sessions_with_one_goal_apart(
    tab: ReactApp, rag: RagServer, own_database: Settings
) -> None:
    rag.script(*[Reply.json({"response": ANSWER})] * 3)
    form = make_profile()
    mailbox = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail))
    tab.sign_up(form)
    mail = mailbox.wait_for_mail(form["email"], deadline=Deadline.after(30))

    tab.log_in(form["email"], "otra")
    tab.log_in(form["email"], key_in(mail))
    tab.open_chat(purpose=2, **GOAL)
    tab.say("¿Y los bonos?")
    tab.open_chat(purpose=2, **GOAL)

    assert tab.toasts == [texts.WRONG_CREDENTIALS.detail]
    assert len(tab.titles) == 2
    assert [len(tab.shown(title)) for title in tab.titles] == [4, 2]
    assert tab.shown(tab.titles[0])[1].startswith(PLAIN)
    assert tab.shown(tab.titles[0])[2:] == ["¿Y los bonos?", PLAIN]
    assert rag.requests[1].json["chatHistory"][0][1].startswith(ANSWER)


class TestWhatALoginPageShows:
    """``error`` of a refused login, and nothing else of it."""

    def test_programs_are_told_the_name(self, api: TestClient) -> None:
        refused = api.post("/user/login", json={"email": "nadie@example.com", "clave": "x"})

        assert (refused.status_code, refused.json()["error"]) == (401, "wrong credentials")

    def test_a_page_is_told_a_sentence(self, api: TestClient) -> None:
        refused = api.post("/user/login", json={"email": "nadie@example.com", "clave": "x"}, headers=ORIGIN)

        assert (refused.status_code, refused.json()["error"]) == (401, "El correo o la clave no son correctos.")
        assert refused.json()["type"] == "urn:maverik:problem:wrong-credentials"
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")

    def test_also_of_what_is_refused_for_its_shape(self, api: TestClient) -> None:
        refused = api.post("/user/login", json={"email": "ana@example.com"}, headers=ORIGIN)

        assert (refused.status_code, refused.json()["error"]) == (422, "Clave: falta este dato.")

    def test_what_a_page_acts_on_keeps_its_name(self) -> None:
        kept = {problem.error for problem in problems.PROBLEMS.values() if problem.has_next_step}

        assert kept == {"second factor required", "wrong second factor"}

    def test_other_calls_of_a_page_keep_the_name(self, api: TestClient) -> None:
        refused = api.get("/user/me", headers=ORIGIN)

        assert refused.json()["error"] == "not authenticated"


class TestWordsOfARefusal:
    """``detail`` alone says what to correct."""

    @pytest.mark.parametrize(
        ("changes", "detail"),
        [
            (
                {"fecha_nacimiento": "2020-01-01"},
                "Fecha de nacimiento: para usar Maverik hay que tener al menos 18 años.",
            ),
            ({"fecha_nacimiento": "1890-01-01"}, "Fecha de nacimiento: la edad tiene que estar entre 18 y 120 años."),
            ({"email": "ana@"}, "Correo electrónico: no es una dirección de correo válida."),
        ],
    )
    def test_of_the_form_for_signing_up(self, api: TestClient, changes: dict[str, Any], detail: str) -> None:
        assert api.post("/user/signup", json=make_profile(**changes)).json()["detail"] == detail

    def test_of_three_decimals(self, user: TestUser) -> None:
        refused = user.post("/copilot/sessions", {"proposito_sesion_id": 2, **GOAL, "capital_inicial": 10000.125})

        assert refused.json()["detail"] == (
            "Capital inicial: puede tener hasta 2 decimales, los centavos: por ejemplo, 12000.50."
        )

    @pytest.mark.parametrize(("message", "words"), [("", "no puede estar vacío."), (None, "escribí algo:")])
    def test_of_an_empty_message(self, user: TestUser, message: str | None, words: str) -> None:
        session = user.open_session()
        user.say(session)

        refused = user.post(f"/copilot/sessions/{session['id']}", {"input": message})

        assert refused.json()["detail"].startswith(f"Tu mensaje: {words}")

    def test_of_many_fields_it_is_one_sentence(self, api: TestClient) -> None:
        refused = api.post("/user/signup", json={}).json()

        assert refused["detail"].startswith("Correo electrónico: falta este dato. ")
        assert "\n" not in refused["detail"]
        assert len(refused["errores"]) > 3


class TestBothForms:
    """``output`` is plain text and ``output_markdown`` Markdown, however the turn is read."""

    def test_an_answer_comes_in_both(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        turn = said(user, advisor)

        assert turn["output"].startswith(f"{PLAIN}\n\nPortafolio sugerido (perfil moderado): Acciones")
        assert turn["output_markdown"].startswith(f"{ANSWER}\n\n**Portafolio sugerido (perfil moderado):** Acciones")

    def test_the_history_and_the_turn_alone_say_the_same(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        turn = said(user, advisor)
        path = f"/copilot/sessions/{turn['sesion_asesoria_id']}"

        assert user.get(path).json() == [turn]
        assert user.get(f"{path}/turns/{turn['id']}").json() == turn

    def test_a_repeated_request_is_answered_the_same(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        advisor.queue.append(Answer(text=ANSWER, origin="rag"))
        path, key = f"/copilot/sessions/{user.open_session()['id']}", {"Idempotency-Key": "una"}

        first, again = (user.post(path, {"input": "hola"}, headers=key) for _ in range(2))

        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == first.json()

    def test_another_try_brings_both(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        advisor.queue.extend([UpstreamUnreachable("rag"), Answer(text=ANSWER, origin="rag")])
        turn = user.say(user.open_session(), "hola")

        answered = user.post(f"/copilot/sessions/{turn['sesion_asesoria_id']}/turns/{turn['id']}/retry").json()

        assert answered["output"].startswith(PLAIN)
        assert answered["output_markdown"].startswith(ANSWER)

    def test_the_advisor_is_told_the_markdown(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        turn = said(user, advisor)

        user.post(f"/copilot/sessions/{turn['sesion_asesoria_id']}", {"input": "¿y?"})

        assert advisor.questions[-1].chat_history == ((turn["input"], turn["output_markdown"]),)

    def test_the_export_has_the_markdown_once(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        turn = said(user, advisor)

        (exported,) = user.get("/user/me/export").json()["sesion_asesoria_detalle"]

        assert exported["texto_sistema"] == turn["output_markdown"]
        assert "texto_plano" not in exported

    def test_an_answer_of_an_older_release_is_cleaned_and_made_plain_when_it_is_read(
        self, user: TestUser, connection: Connection
    ) -> None:
        session = user.open_session()
        connection.execute(
            text(
                "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado) "
                "VALUES (:id, 'hola', '**Sí** <b onclick=x>y</b> ![i](https://e.x)', 'completada')"
            ),
            {"id": session["id"]},
        )

        (turn,) = user.get(f"/copilot/sessions/{session['id']}").json()

        assert (turn["output"], turn["output_markdown"]) == ("Sí y i", "**Sí** y i")

    def test_a_try_of_an_older_process_is_not_shown_as_the_one_before(
        self, user: TestUser, advisor: ScriptedAdvisor, connection: Connection
    ) -> None:
        """It writes the Markdown, and knows nothing of the plain text beside it."""
        turn = said(user, advisor)
        connection.execute(
            text("UPDATE sesion_asesoria_detalle SET texto_sistema = '**Otra**', intento = 2 WHERE id = :id"),
            {"id": turn["id"]},
        )

        (read,) = user.get(f"/copilot/sessions/{turn['sesion_asesoria_id']}").json()

        assert (read["output"], read["output_markdown"]) == ("Otra", "**Otra**")


class TestOrderOfReading:
    """What people wrote is stored as it is, and shown without what would let it read in another order."""

    SAID = "pagá \u202e000.1 $\u202c ya\u200f, 👨\u200d👩\u200d👧"
    SHOWN = "pagá 000.1 $ ya, 👨\u200d👩\u200d👧"

    def test_of_a_message(self, user: TestUser, advisor: ScriptedAdvisor) -> None:
        turn = user.say(user.open_session(), self.SAID)

        assert turn["input"] == self.SHOWN
        assert user.get(f"/copilot/sessions/{turn['sesion_asesoria_id']}").json() == [turn]
        assert advisor.questions[-1].input == self.SAID

    def test_of_a_name_of_an_older_release(self, user: TestUser, connection: Connection) -> None:
        session = user.open_session()
        connection.execute(
            text("UPDATE sesion_asesoria SET titulo = :title WHERE id = :id"), {"title": self.SAID, "id": session["id"]}
        )

        assert user.get(f"/copilot/sessions/{session['id']}/info").json()["titulo_chat"] == self.SHOWN

    def test_of_the_assets_of_a_portfolio(self, user: TestUser, optimizer: ScriptedOptimizer) -> None:
        optimizer.queue.append(make_allocation(assets=["Acciones\u202e", "Bonos"]))

        assert user.say(user.open_session())["portafolio"] is None


def said(user: TestUser, advisor: ScriptedAdvisor) -> Any:
    """A turn that was answered with :data:`ANSWER`."""
    advisor.queue.append(Answer(text=ANSWER, origin="rag"))
    return user.say(user.open_session(), "¿En qué me conviene invertir?")
