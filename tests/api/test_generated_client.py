"""Frontends may generate their client from the OpenAPI document: a generator's client talks to a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.deadline import Deadline
from tests.support.fixtures.people import key_in, make_profile, make_session_body
from tests.support.paths import OPENAPI_SNAPSHOT
from tests.support.processes import ServerProcess, run_python

SIGN_UP = """
import json, sys
from client import Client
from client.api.usuario import sign_up
from client.models import UsuarioCrearRequest

url, form = sys.argv[1:]
print(sign_up.sync(client=Client(base_url=url), body=UsuarioCrearRequest.from_dict(json.loads(form))).mensaje)
"""
TALK = """
import json, sys
from client import AuthenticatedClient, Client
from client.api.acceso import log_in
from client.api.conversación import create_turn, get_history
from client.api.sesiones import create_session, get_session_info
from client.models import Problema, SesionCrearRequest, TurnoCrearRequest, UsuarioLogin
from tests.support.paths import OPENAPI_SNAPSHOT

url, email, key, about = sys.argv[1:]
login = log_in.sync(client=Client(base_url=url), body=UsuarioLogin(email=email, clave=key))
client = AuthenticatedClient(base_url=url, token=login.access_token)
session = create_session.sync(client=client, body=SesionCrearRequest.from_dict(json.loads(about)))
turn = create_turn.sync(session.id, client=client, body=TurnoCrearRequest(input_="¿Me conviene un plazo fijo?"))
assert get_history.sync(session.id, client=client) == [turn]
missing = get_session_info.sync(session.id + 1, client=client)
assert isinstance(missing, Problema) and missing.error.value == "not found"
print(turn.estado.value, turn.portafolio.activos[0].activo)
"""


@pytest.fixture(scope="module")
def client_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the generated package ``client`` lies."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yml").write_text("post_hooks: []\n", encoding="utf-8")
    where = ("--path", str(OPENAPI_SNAPSHOT), "--output-path", "client", "--config", "config.yml")
    generated = run_python(
        *("-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning", *where), cwd=folder
    )
    assert generated.returncode == 0, generated.stdout + generated.stderr
    (folder / "sign_up.py").write_text(SIGN_UP, encoding="utf-8")
    (folder / "talk.py").write_text(TALK, encoding="utf-8")
    return folder


def test_it_signs_up_logs_in_and_talks(client_folder: Path, own_folder: Path) -> None:
    form = make_profile()
    with ServerProcess(own_folder) as server:
        signed_up = run_python("sign_up.py", server.url, json.dumps(form), cwd=client_folder)
        assert signed_up.returncode == 0, signed_up.stderr
        mailbox = LocalMailbox(own_folder / "data" / "mailbox", sender=Sender(name="x", address="x@example.com"))
        key = key_in(mailbox.wait_for_mail(form["email"], deadline=Deadline.after(20)))
        about = json.dumps(make_session_body())
        talked = run_python("talk.py", server.url, form["email"], key, about, cwd=client_folder)

    assert talked.returncode == 0, talked.stderr
    assert talked.stdout.startswith("completada ")
