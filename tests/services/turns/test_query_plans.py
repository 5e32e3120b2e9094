"""A turn costs the same however long its session, and however many others there are: only indexes are scanned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import pytest
from sqlalchemy import Connection, Engine, event
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.clients.registry import Clients
from maverik_backend.core.database import Database, make_engine
from maverik_backend.core.security import PasswordHasher
from maverik_backend.settings import Settings
from maverik_backend.web.resources import resources_of
from tests.support.fixtures.application import ScriptedAdvisor, ScriptedOptimizer
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import delivering, sign_up_and_in

_EXPLAINED = ("SELECT", "UPDATE", "INSERT", "WITH")
TURNS = 10_000
PEOPLE = 5_000
HOLDS_A_ROW_A_PROCESS = {"proceso"}


class Plans:
    """The plan of every statement that an engine executes while it is watched."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.statements: list[str] = []
        self.scanned: set[str] = set()

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._explain)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._explain)

    def _explain(self, connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("EXPLAIN") or not statement.lstrip().startswith(_EXPLAINED):
            return
        self.statements.append(statement)
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        self._note(plan["Plan"])

    def _note(self, node: dict[str, Any]) -> None:
        if node["Node Type"] == "Seq Scan":
            self.scanned.add(node["Relation Name"])
        for child in node.get("Plans", []):
            self._note(child)


@pytest.fixture
def engine_with_history(own_database: Settings) -> Iterator[tuple[Settings, Engine]]:
    """A database with many people, and one session of many turns (id 1, of the person with id 1)."""
    rows(
        own_database,
        "INSERT INTO usuario (email, clave_hash) SELECT 'p' || n || '@example.com', 'x' FROM generate_series(1, :n) n",
        n=PEOPLE,
    )
    rows(own_database, "INSERT INTO sesion_asesoria (usuario_id) SELECT id FROM usuario ORDER BY id")
    rows(own_database, "INSERT INTO inicio_sesion (usuario_id, vence) SELECT id, now() + '1 day' FROM usuario")
    turns = (
        "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado, origen) "
        "SELECT {session}, 'hola', 'buenas', 'completada', 'rag' FROM generate_series(1, :n) n"
    )
    rows(own_database, turns.format(session="1"), n=TURNS)
    rows(own_database, turns.format(session="1 + mod(n, 5000)"), n=TURNS)
    rows(own_database, "ANALYZE")
    engine = make_engine(own_database)
    yield own_database, engine
    engine.dispose()


def test_a_turn_in_a_session_of_ten_thousand_scans_indexes_only(
    engine_with_history: tuple[Settings, Engine], mailbox: LocalMailbox, cheap_hasher: PasswordHasher
) -> None:
    settings, engine = engine_with_history
    clients = Clients(advisor=ScriptedAdvisor(), optimizer=ScriptedOptimizer(), mail=mailbox)
    app = create_app(settings, clients=clients, database=Database(engine), hasher=cheap_hasher)
    user = sign_up_and_in(TestClient(app), delivering(resources_of(app), mailbox))
    me = user.get("/user/me").json()["id"]
    rows(settings, "UPDATE sesion_asesoria SET usuario_id = :me WHERE id = 1", me=me)

    with Plans(engine) as plans:
        turn = user.say({"id": 1}, "una más")
        user.get("/copilot/sessions/1?limit=20")
        user.get("/copilot/sessions?limit=20")
        user.get(f"/copilot/sessions/1/turns/{turn['id']}")

    assert plans.scanned - HOLDS_A_ROW_A_PROCESS == set()
    assert len(plans.statements) >= 8
    assert any(statement.startswith("WITH added AS") for statement in plans.statements)
