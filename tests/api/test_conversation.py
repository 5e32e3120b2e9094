"""The whole product over real sockets: its server, the services, and a client that does what the frontend does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest
import requests
from pydantic import SecretStr

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.deadline import Deadline
from maverik_backend.settings import AdviceSettings, MailSettings, Settings
from tests.support.fixtures.people import key_in, make_profile, make_session_body
from tests.support.servers import MailApiServer, OptimizerServer, RagServer, Reply
from tests.support.serving import serving

API_KEY = "llave-de-prueba"


class Frontend:
    """What the React application does, call by call."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._http.request(method, self._address + path, json=body, timeout=60)
        assert response.ok, response.text
        return response.json()

    def log_in(self, email: str, key: str) -> None:
        token = self.call("POST", "/user/login", {"email": email, "clave": key})["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"


@pytest.fixture
def services() -> Iterator[tuple[RagServer, OptimizerServer, MailApiServer]]:
    with RagServer() as rag, OptimizerServer() as optimizer, MailApiServer() as mail:
        yield rag, optimizer, mail


@pytest.fixture
def remote_settings(own_database: Settings, services: tuple[RagServer, OptimizerServer, MailApiServer]) -> Settings:
    """The three addresses of DESIGN, section 6, pointing at real HTTP servers."""
    rag, optimizer, mail = services
    return own_database.model_copy(
        update={
            "advice": AdviceSettings(rag_service_url=rag.url, portfolio_optimization_url=optimizer.url),
            "mail": MailSettings(
                smtp_api_url=mail.url,
                smtp_api_key=SecretStr(API_KEY),
                mail_sender_address="hola@example.com",
                jobs_poll_interval_s=0.05,
            ),
        }
    )


def key_from(mail: MailApiServer) -> str:
    """The temporary key in the mail that arrived at the mail API."""
    (request,) = mail.wait_for_requests(1)
    assert request.headers["api-key"] == API_KEY
    (line,) = [line for line in request.json["textContent"].splitlines() if line.startswith("Clave: ")]
    return str(line.removeprefix("Clave: "))


def test_a_conversation_goes_through_the_configured_services(
    remote_settings: Settings, services: tuple[RagServer, OptimizerServer, MailApiServer]
) -> None:
    rag, optimizer, mail = services
    form = make_profile(conocimiento_alt_inversion_id=5, experiencia_invirtiendo_id=4, busca_invertir_en_id=4)
    with serving(remote_settings) as address, Frontend(address) as frontend:
        frontend.call("POST", "/user/signup", form)
        frontend.log_in(form["email"], key_from(mail))
        body = make_session_body(tolerancia_al_riesgo_id=3, horizonte_temporal=120)
        session = frontend.call("POST", "/copilot/sessions", body)
        path = f"/copilot/sessions/{session['id']}"
        first = frontend.call("POST", path, {"input": session["primer_input"]})
        second = frontend.call("POST", path, {"input": "¿Y los bonos?"})
        history = frontend.call("GET", path)

    assert history == [first, second]
    assert first["output"].startswith(f"Respuesta de prueba a: {session['primer_input']}")
    assert [asset["peso"] for asset in first["portafolio"]["activos"]] == [75.0, 20.0, 5.0]  # not 80 in shares
    assert (first["origen"], second["portafolio"]) == ("rag", None)
    assert [request.path for request in optimizer.requests] == ["/portfolio/generate/bold"]
    assert [request.path for request in rag.requests] == ["/api/chat", "/api/chat"]
    asked = rag.requests[1].json
    assert asked["input"] == "¿Y los bonos?"
    assert asked["chatHistory"] == [[first["input"], first["output_markdown"]]]
    assert "Tolerancia al riesgo: alta." in asked["userProfile"]
    assert mail.requests[0].json["to"] == [{"email": form["email"]}]


def test_the_same_conversation_needs_no_service_at_all(own_database: Settings) -> None:
    form = make_profile()
    mailbox = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail))
    with serving(own_database) as address, Frontend(address) as frontend:
        frontend.call("POST", "/user/signup", form)
        frontend.log_in(form["email"], key_in(mailbox.wait_for_mail(form["email"], deadline=Deadline.after(20))))
        session = frontend.call("POST", "/copilot/sessions", make_session_body())
        first = frontend.call("POST", f"/copilot/sessions/{session['id']}", {"input": session["primer_input"]})

    assert (first["estado"], first["origen"]) == ("completada", "integrado")
    assert first["fuentes"]
    assert first["portafolio"]["origen"] == "integrado"
    assert first["portafolio"]["retorno_esperado"] > 0
    assert sum(asset["peso"] for asset in first["portafolio"]["activos"]) == pytest.approx(100)


def test_the_optimizer_is_asked_while_the_rag_service_thinks(
    remote_settings: Settings, services: tuple[RagServer, OptimizerServer, MailApiServer]
) -> None:
    rag, optimizer, mail = services
    asked = threading.Event()
    rag.script(Reply.json({"response": "lenta"}, once=asked))
    form = make_profile()
    with serving(remote_settings) as address, Frontend(address) as frontend:
        frontend.call("POST", "/user/signup", form)
        frontend.log_in(form["email"], key_from(mail))
        session = frontend.call("POST", "/copilot/sessions", make_session_body())
        turns: list[Any] = []
        talk = threading.Thread(
            target=lambda: turns.append(frontend.call("POST", f"/copilot/sessions/{session['id']}", {"input": None}))
        )
        talk.start()
        optimizer.wait_for_requests(1)  # although the RAG service has not answered
        asked.set()
        talk.join()

    assert turns[0]["output"].startswith("lenta")
    assert turns[0]["portafolio"] is not None


def test_services_that_fail_cost_their_part_and_no_more(
    remote_settings: Settings, services: tuple[RagServer, OptimizerServer, MailApiServer]
) -> None:
    rag, optimizer, mail = services
    rag.script(Reply(status=500))
    optimizer.script(Reply.json({"assets": ["a"], "weights": [float("nan")]}))
    form = make_profile()
    with serving(remote_settings) as address, Frontend(address) as frontend:
        frontend.call("POST", "/user/signup", form)
        frontend.log_in(form["email"], key_from(mail))
        session = frontend.call("POST", "/copilot/sessions", make_session_body())
        path = f"/copilot/sessions/{session['id']}"
        first = frontend.call("POST", path, {"input": None})
        second = frontend.call("POST", path, {"input": "¿Y ahora?"})

    assert (first["estado"], first["portafolio"]) == ("respaldo", None)
    assert second["estado"] == "completada"
    assert rag.requests[-1].json["chatHistory"] == []
