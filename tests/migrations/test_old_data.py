"""What the old tables could hold and no answer can show: carried over, reported, and read through every route."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.core.markdown import clean
from maverik_backend.core.security import PasswordHasher
from maverik_backend.core.text import without_bidi_controls
from maverik_backend.settings import Settings
from tests.support.fixtures.database import Alembic, connected, rows

BASE = "0b2e5472511d"
CHEAP = {"argon2_memory_kib": 8}
KEY = "la clave de siempre"
UNANSWERED = "(Este mensaje quedó sin respuesta.)"

MakeAlembic = Callable[[Settings], Alembic]

BIRTHDAYS = ("infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "0001-01-01", "9999-12-31", "1990-05-17", None)
MOMENTS = ("infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "1999-12-31 23:59:59.999999", None)
AMOUNTS = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e-400",
        "1e300",
        "0",
        "-0",
        "-5",
        "12.345",
        "99999999999999999",
    ),
    None,
)
HORIZONS = (-32768, -12, -1, 0, 1, 32767, None)
TEXTS = ("", " ", "\u202etxt.exe", "a\u0007b\u001b[31m", "\ufffe\U0010ffff", "<script>alert(1)</script>", "x" * 8000)
# Those that cannot be shown among the values above, once for each person or session.
REPORT = [
    "usuario.fecha_nacimiento: 4 values that cannot be shown became NULL",
    "usuario.fecha_creacion: 4 values that cannot be shown became now()",
    "usuario.fecha_actualizacion: 4 values that cannot be shown became now()",
    "sesion_asesoria.capital_inicial: 5 values that cannot be shown became NULL",
    "sesion_asesoria.fecha_creacion: 4 values that cannot be shown became now()",
]
# What the old release's own migration demands, and ours of the same number does not.
REQUIRED = (("usuario", "fecha_creacion"), ("usuario", "fecha_actualizacion"), ("sesion_asesoria", "fecha_creacion"))
# Whoever calls these is signed out, or has another key, or is gone.
NOT_WALKED = {"log_out", "end_login", "delete_me", "change_password", "delete_session"}
# There were no documents.
NOT_WALKED |= {"add_document", "get_document", "delete_document"}
BODIES: dict[str, Any] = {
    "create_turn": {"input": "¿Cómo sigo?"},
    "rename_session": {"titulo_chat": "Otro nombre"},
    "create_session": {"proposito_sesion_id": 1},
    "update_me": {"nivel_educativo_id": 2},
}


@pytest.fixture
def old(empty_database: Settings, alembic: MakeAlembic) -> Settings:
    """The tables of an installation from before this repository, with one row for each odd value."""
    alembic(empty_database)("upgrade", BASE)
    for number, birthday in enumerate(BIRTHDAYS):
        add_person(empty_database, number, fecha_nacimiento=birthday)
    for number, moment in enumerate(MOMENTS, start=len(BIRTHDAYS)):
        add_person(empty_database, number, fecha_creacion=moment, fecha_actualizacion=moment)
    for column, values in (("capital_inicial", AMOUNTS), ("horizonte_temporal", HORIZONS), ("fecha_creacion", MOMENTS)):
        for value in values:
            add_session(empty_database, proposito_sesion_id=2, objetivo_id=1, **{column: value})
    add_session(empty_database, proposito_sesion_id=None)
    add_session(empty_database, proposito_sesion_id=2, objetivo_id=None)
    for text in TEXTS:
        rows(
            empty_database,
            "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema) "
            "VALUES (1, :text, 'buenas'), (1, 'hola', :text)",
            text=text,
        )
    return empty_database


def add_person(settings: Settings, number: int, **values: Any) -> None:
    add(settings, "usuario", email=f"persona{number}@example.com", clave=KEY, **values)


def add_session(settings: Settings, **values: Any) -> None:
    add(settings, "sesion_asesoria", usuario_id=1, **values)


def add(settings: Settings, table: str, **values: Any) -> None:
    """A row whose values PostgreSQL reads from their texts, as there are no others for some of them."""
    parts = {name: "NULL" if value is None else f"'{value}'" for name, value in values.items()}
    rows(settings, f"INSERT INTO {table} ({', '.join(parts)}) VALUES ({', '.join(parts.values())})")  # noqa: S608 - ours


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[TestClient]:
    """The API over the upgraded database, with the embedded advisor and optimiser, and no limits."""
    files = settings.app.model_copy(update={"local_data_dir": folder})
    security = settings.security.model_copy(update={"rate_limits_enabled": False})
    changed = settings.model_copy(update={"app": files, "security": security})
    hasher = PasswordHasher(memory_kib=8, passes=1)
    with connected(settings) as database:
        app = create_app(changed, database=database, hasher=hasher)
        with closing(TestClient(app, raise_server_exceptions=False)) as api:
            yield api


def refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


class Person:
    """Somebody who signed in with their old key."""

    def __init__(self, api: TestClient, email: str) -> None:
        self._api = api
        login = api.post("/user/login", json={"email": email, "clave": KEY})
        assert login.status_code == 200, email
        self._headers = {"Authorization": f"Bearer {login.json()['access_token']}"}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self._api.request(method, path, json=body, headers=self._headers)
        assert response.status_code < 500, (method, path, response.text)
        if response.status_code == HTTPStatus.NO_CONTENT:
            return response.status_code, None
        return response.status_code, json.loads(response.text, parse_constant=refuse)

    def sessions(self) -> list[int]:
        _, page = self.ask("GET", "/copilot/sessions?limit=100")
        return [session["id"] for session in page["sesiones"]]

    def turns(self, session: int) -> list[int]:
        return [turn["id"] for turn in self.ask("GET", f"/copilot/sessions/{session}")[1]]


def routes(api: TestClient) -> list[tuple[str, str, Any]]:
    """What is walked: method, path and body of every operation that needs a person."""
    return [
        (method.upper(), path, BODIES.get(operation["operationId"]))
        for path, item in api.get("/openapi.json").json()["paths"].items()
        for method, operation in item.items()
        if "security" in operation and operation["operationId"] not in NOT_WALKED
    ]


class TestEveryOldRow:
    def test_is_read_through_every_route(
        self, old: Settings, alembic: MakeAlembic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        alembic(old)("upgrade", "head", **CHEAP)
        assert [line for line in capsys.readouterr().err.splitlines() if "hashed" not in line] == REPORT

        with served(old, tmp_path) as api:
            walked = routes(api)
            of_people = [route for route in walked if "{" not in route[1]]
            of_sessions = [route for route in walked if "{session_id}" in route[1] and "{turn_id}" not in route[1]]
            of_turns = [route for route in walked if "{turn_id}" in route[1]]
            assert len(of_people) + len(of_sessions) + len(of_turns) == len(walked)
            for number in range(len(BIRTHDAYS) + len(MOMENTS)):
                person = Person(api, f"persona{number}@example.com")
                for method, path, body in of_people:
                    person.ask(method, path, body)
            person = Person(api, "persona0@example.com")
            sessions = person.sessions()
            assert len(sessions) >= len(AMOUNTS) + len(HORIZONS) + len(MOMENTS) + 2
            for session in sessions:
                turns = person.turns(session)
                for method, path, body in of_sessions:
                    person.ask(method, path.format(session_id=session), body)
                for turn in turns:
                    for method, path, body in of_turns:
                        person.ask(method, path.format(session_id=session, turn_id=turn), body)

    def test_keeps_what_can_be_shown(self, old: Settings, alembic: MakeAlembic, tmp_path: Path) -> None:
        texts = rows(old, "SELECT texto_usuario, texto_sistema FROM sesion_asesoria_detalle ORDER BY id")
        alembic(old)("upgrade", "head", **CHEAP)

        with served(old, tmp_path) as api:
            person = Person(api, "persona0@example.com")
            history = person.ask("GET", "/copilot/sessions/1")[1]
            sessions = person.ask("GET", "/copilot/sessions?limit=100")[1]["sesiones"]

        assert [turn["input"] for turn in history] == [without_bidi_controls(row["texto_usuario"]) for row in texts]
        cleaned = [clean(row["texto_sistema"], max_chars=len(row["texto_sistema"])) for row in texts]
        assert [turn["output_markdown"] for turn in history] == cleaned
        assert {turn["estado"] for turn in history} == {"completada"}
        amounts = [session["capital_inicial"] for session in sessions][::-1][: len(AMOUNTS)]
        assert amounts == [None, None, None, None, None, 0.0, 1e300, 0.0, 0.0, -5.0, 12.345, 99999999999999999.0, None]


class TestItDoesNotComeBack:
    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e301"])
    def test_an_amount_that_cannot_be_shown_is_refused(self, own_database: Settings, value: str) -> None:
        add(own_database, "usuario", email="a@b", clave_hash="x")

        with pytest.raises(DBAPIError, match="ck_sesion_asesoria_capital_inicial"):
            add(own_database, "sesion_asesoria", usuario_id=1, capital_inicial=value)

    @pytest.mark.parametrize("column", ["fecha_nacimiento", "fecha_creacion", "fecha_actualizacion"])
    @pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"])
    def test_a_time_that_cannot_be_shown_is_refused(self, own_database: Settings, column: str, value: str) -> None:
        with pytest.raises(DBAPIError, match=f"ck_usuario_{column}"):
            add(own_database, "usuario", email="a@b", clave_hash="x", **{column: value})

    def test_where_it_does_it_reads_as_unknown(self, own_database: Settings, tmp_path: Path) -> None:
        rows(own_database, "ALTER TABLE usuario DROP CONSTRAINT ck_usuario_fecha_nacimiento")
        rows(own_database, "ALTER TABLE sesion_asesoria DROP CONSTRAINT ck_sesion_asesoria_capital_inicial")
        key_hash = PasswordHasher(memory_kib=8, passes=1).hash(KEY)
        add(own_database, "usuario", email="ana@example.com", clave_hash=key_hash, fecha_nacimiento="infinity")
        add(
            own_database,
            "sesion_asesoria",
            usuario_id=1,
            proposito_sesion_id=2,
            objetivo_id=1,
            capital_inicial="NaN",
        )

        with served(own_database, tmp_path) as api:
            ana = Person(api, "ana@example.com")

            assert ana.ask("GET", "/user/me")[1]["fecha_nacimiento"] is None
            assert ana.ask("GET", "/copilot/sessions/1/info")[1]["capital_inicial"] is None
            assert ana.ask("POST", "/copilot/sessions/1", {"input": None})[0] == 200

    def test_a_portfolio_of_another_release_costs_only_itself(self, own_database: Settings, tmp_path: Path) -> None:
        key_hash = PasswordHasher(memory_kib=8, passes=1).hash(KEY)
        add(own_database, "usuario", email="ana@example.com", clave_hash=key_hash)
        add(own_database, "sesion_asesoria", usuario_id=1)
        add(
            own_database,
            "sesion_asesoria_detalle",
            sesion_asesoria_id=1,
            texto_usuario="hola",
            texto_sistema="buenas",
            estado="completada",
            portafolio='{"perfil_riesgo": "de otra época"}',
        )

        with served(own_database, tmp_path) as api:
            (turn,) = Person(api, "ana@example.com").ask("GET", "/copilot/sessions/1")[1]

        assert (turn["output"], turn["portafolio"]) == ("buenas", None)


class TestTheWayDown:
    def test_leads_to_the_tables_of_the_old_release(self, empty_database: Settings, alembic: MakeAlembic) -> None:
        alembic(empty_database)("upgrade", BASE)
        for table, column in REQUIRED:
            rows(empty_database, f"ALTER TABLE {table} ALTER {column} SET NOT NULL")
        before = tables_of(empty_database)

        alembic(empty_database)("upgrade", "head")
        alembic(empty_database)("downgrade", BASE)

        assert tables_of(empty_database) == before

    def test_leaves_no_key_to_whoever_knows_a_hash(self, own_database: Settings, alembic: MakeAlembic) -> None:
        hashes = [PasswordHasher(memory_kib=8, passes=1).hash(KEY) for _ in range(2)]
        for number, key_hash in enumerate(hashes):
            add(own_database, "usuario", email=f"p{number}@example.com", clave_hash=key_hash)

        alembic(own_database)("downgrade", BASE)

        keys = [row["clave"] for row in rows(own_database, "SELECT clave FROM usuario ORDER BY id")]
        secrets = [key.removeprefix(key_hash) for key, key_hash in zip(keys, hashes, strict=True)]
        assert [len(secret) for secret in secrets] == [65, 65]
        assert secrets[0] != secrets[1]

    def test_up_again_the_keys_are_what_they_were(self, own_database: Settings, alembic: MakeAlembic) -> None:
        key_hash = PasswordHasher(memory_kib=8, passes=1).hash(KEY)
        add(own_database, "usuario", email="ana@example.com", clave_hash=key_hash)

        alembic(own_database)("downgrade", BASE)
        alembic(own_database)("upgrade", "head", **CHEAP)

        assert rows(own_database, "SELECT clave_hash FROM usuario") == [{"clave_hash": key_hash}]

    def test_there_and_back_a_turn_without_an_answer_is_still_without_one(
        self, own_database: Settings, alembic: MakeAlembic
    ) -> None:
        add(own_database, "usuario", email="ana@example.com", clave_hash="x")
        add(own_database, "sesion_asesoria", usuario_id=1)
        add(own_database, "sesion_asesoria_detalle", sesion_asesoria_id=1, texto_usuario="hola")
        answered = {"texto_usuario": "hola", "texto_sistema": "", "estado": "completada"}
        add(own_database, "sesion_asesoria_detalle", sesion_asesoria_id=1, **answered)

        alembic(own_database)("downgrade", BASE)
        old = rows(own_database, "SELECT texto_sistema FROM sesion_asesoria_detalle ORDER BY id")
        alembic(own_database)("upgrade", "head", **CHEAP)

        assert [row["texto_sistema"] for row in old] == [UNANSWERED, ""]
        assert rows(own_database, "SELECT estado, texto_sistema FROM sesion_asesoria_detalle ORDER BY id") == [
            {"estado": "pendiente", "texto_sistema": None},
            {"estado": "completada", "texto_sistema": ""},
        ]
        assert rows(own_database, "SELECT respondida FROM sesion_asesoria") == [{"respondida": None}]


def tables_of(settings: Settings) -> list[dict[str, Any]]:
    """Every column, constraint and index, as PostgreSQL describes them."""
    return [
        *rows(
            settings,
            "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
        ),
        *rows(
            settings,
            "SELECT conrelid::regclass::text AS table_name, conname, pg_get_constraintdef(oid) AS definition "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        ),
        *rows(settings, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
    ]
