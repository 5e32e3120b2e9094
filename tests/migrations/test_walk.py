"""docs/UPGRADING.md, walked word by word: its commands, as they stand there, on an installation with odd content."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
from sqlalchemy import URL, Connection, create_engine, text

from tests.support.documents import commands_below, span_in
from tests.support.paths import ROOT
from tests.support.postgres import PASSWORD, USER, TcpPostgres
from tests.support.processes import ServerProcess, clean_environment

DOCUMENT = ROOT / "docs" / "UPGRADING.md"
BASE = "0b2e5472511d"
DATABASE = "maverik"
SHARED = ("ana@example.com", " Ana@Example.COM ")
# Address, key, and whether the person filled in the form; the second shares the first one's address.
PEOPLE = (
    (SHARED[0], "la que uso", True),
    (SHARED[1], "la otra", False),
    ("ÑANDÚ@example.com", unicodedata.normalize("NFD", "contraseña"), True),
    ("sin arroba", "x", False),
    ("\tvacia@example.com\n", "", True),
    ("larga@example.com", "ñ" * 500, True),
)
CATALOGS = (
    *("nivel_educativo_id", "conocimiento_alt_inversion_id", "experiencia_invirtiendo_id"),
    *("porcentaje_ahorro_mensual_id", "porcentaje_ahorro_invertir_id", "tiempo_mantener_inversion_id"),
    *("busca_invertir_en_id", "proporcion_inversion_mantener_id"),
)
# Purpose, goal, capital, horizon, tolerance: whatever the old API stored without looking.
SESSIONS = (
    (1, None, None, None, None),
    (2, 1, 15000, 36, 2),
    (2, None, 0, 0, None),
    (2, 7, -5.1234, -12, 3),
    (3, 2, 999999999.9999, 32767, 1),
)
TURNS = (
    ("hola", "Buenas, ¿en qué te ayudo?"),
    ("", ""),
    ("😀 <script>alert(1)</script> \\ %s {x} $1", "**Negrita**\n\n- uno\n- dos\n\n| a | b |"),
    ("x" * 2000, "ñ" * 2000),
)


@dataclass(frozen=True)
class Installation:
    """A database server, and a shell in ``folder`` that finds PostgreSQL's programs and ours."""

    folder: Path
    server: TcpPostgres
    variables: Mapping[str, str]

    def type(self, command: str, *, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the document's own command
            ["bash", "-ec", command],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
            input=answer,
            timeout=300,
            cwd=self.folder,
            env=dict(self.variables),
        )

    def do(self, command: str, **options: str) -> str:
        """What a command prints that must succeed."""
        done = self.type(command, **options)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def connection(self, *, database: str = DATABASE) -> Iterator[Connection]:
        """One transaction, past our own code."""
        engine = create_engine(URL.create("postgresql+pg8000", USER, PASSWORD, "127.0.0.1", self.server.port, database))
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def rows(self, statement: str, *, database: str = DATABASE) -> list[tuple[Any, ...]]:
        with self.connection(database=database) as connection:
            return [tuple(row) for row in connection.execute(text(statement))]


def put_on_path(folder: Path, name: str, *command: str) -> None:
    folder.mkdir(exist_ok=True)
    words = " ".join(f"'{word}'" for word in command)
    (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    (folder / name).chmod(0o755)


def install(folder: Path, server: TcpPostgres, **variables: str) -> Installation:
    """An environment in which ``python`` is ours and the settings are those of ``server``."""
    programs = folder / "bin"
    put_on_path(programs, "python", sys.executable)
    environment = clean_environment(
        **{
            **server.variables(schema="public"),
            "DB_NAME": DATABASE,
            "DATABASE": server.address(database=DATABASE),
            "PGPASSWORD": PASSWORD,
            "PYTHONPATH": str(ROOT),
            **variables,
        }
    )
    environment["PATH"] = f"{programs}:{server.programs}:{environment['PATH']}"
    return Installation(folder, server, environment)


def fill(installation: Installation) -> None:
    """The tables of the first release, with what people left in them."""
    installation.do(f'createdb --maintenance-db="{installation.server.address()}" {DATABASE}')
    installation.do(f"python -m alembic -c '{ROOT}/alembic.ini' upgrade {BASE}")
    answers = ", ".join(CATALOGS)
    session = text(
        "INSERT INTO sesion_asesoria (usuario_id, proposito_sesion_id, objetivo_id, capital_inicial, "
        "horizonte_temporal, tolerancia_al_riesgo_id) VALUES (:person, :purpose, :goal, "
        "CAST(:capital AS numeric), :months, :tolerance) RETURNING id"
    )
    turn = text(
        "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema) "
        "VALUES (:session, :asked, :answered)"
    )
    with installation.connection() as connection:
        for email, key, is_complete in PEOPLE:
            given = ", ".join(["1" if is_complete else "DEFAULT"] * len(CATALOGS))
            person = text(f"INSERT INTO usuario (email, clave, {answers}) VALUES (:email, :key, {given}) RETURNING id")  # noqa: S608
            owner = connection.execute(person, {"email": email, "key": key}).scalar_one()
            for stored in SESSIONS:
                fields = dict(zip(("purpose", "goal", "capital", "months", "tolerance"), stored, strict=True))
                opened = connection.execute(session, {"person": owner, **fields}).scalar_one()
                connection.execute(turn, [{"session": opened, "asked": a, "answered": b} for a, b in TURNS])


@pytest.fixture
def installation() -> Iterator[Installation]:
    """An old installation, stopped, beside which the new release lies."""
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as server:
        found = install(Path(folder), server)
        fill(found)
        yield found


def walk_as(url: str, email: str, key: str, *, sessions: int) -> None:
    """Everything that a person can look at answers, and what was said is what was said."""
    login = requests.post(f"{url}/user/login", json={"email": email, "clave": key}, timeout=30)
    assert (login.status_code, login.json().get("debe_cambiar_clave")) == (200, True), (email, login.text)
    person = requests.Session()
    person.headers["Authorization"] = f"Bearer {login.json()['access_token']}"

    def get(path: str) -> Any:
        answer = person.get(f"{url}{path}", timeout=30)
        assert answer.status_code == 200, (email, path, answer.text)
        return answer.json()

    for path in ("/user/me", "/user/me/export", "/user/me/events", "/user/logins", "/catalogs"):
        get(path)
    found = get("/copilot/sessions")["sesiones"]
    assert len(found) == sessions
    for session in found:
        path = f"/copilot/sessions/{session['id']}"
        assert get(f"{path}/info")["id"] == session["id"]
        turns = get(path)
        assert [turn["input"] for turn in turns] == [asked for asked, _ in TURNS]
        assert [get(f"{path}/turns/{turn['id']}")["id"] for turn in turns] == [turn["id"] for turn in turns]
        renamed = person.patch(f"{url}{path}", json={"titulo_chat": "Mi sesión"}, timeout=30)
        assert renamed.status_code == 200, renamed.text
    said = person.post(
        f"{url}/copilot/sessions/{found[-1]['id']}", json={"input": "¿Qué es un plazo fijo?"}, timeout=60
    )
    assert said.status_code == 200, said.text


def test_the_upgrade_and_the_way_back(installation: Installation) -> None:
    before = installation.rows("SELECT id, email, clave FROM usuario ORDER BY id")
    said = installation.rows(
        "SELECT id, texto_usuario, coalesce(texto_sistema, '') FROM sesion_asesoria_detalle ORDER BY id"
    )
    look, merge = commands_below(DOCUMENT, "Shared addresses")
    (migrate,) = commands_below(DOCUMENT, "Run")

    installation.do(span_in(DOCUMENT, "pg_dump --format"))
    stopped = installation.type(migrate)
    assert stopped.returncode != 0
    assert f"  {SHARED[0]}: users 1, 2" in stopped.stderr
    assert installation.rows("SELECT id, email, clave FROM usuario ORDER BY id") == before

    assert installation.do(look).count(" 5 |") == 2
    installation.do(merge.replace("240 17", "1 2"), answer="y\n")
    installation.do(migrate)

    assert (
        installation.rows(
            "SELECT id, texto_usuario, coalesce(texto_sistema, '') FROM sesion_asesoria_detalle ORDER BY id"
        )
        == said
    )
    with ServerProcess(
        installation.folder, **{k: v for k, v in installation.variables.items() if k.startswith("DB_")}
    ) as api:
        assert requests.get(f"{api.url}/health", timeout=30).json()["status"] == "healthy"
        for email, key, _ in PEOPLE:
            if email != SHARED[1]:
                walk_as(api.url, email, key, sessions=len(SESSIONS) * (2 if email == SHARED[0] else 1))
        assert api.stop() == 0

    for command in commands_below(DOCUMENT, "The way back"):
        installation.do(command)
    restored = installation.rows("SELECT id, email, clave FROM usuario ORDER BY id", database="maverik_before")
    assert restored == before


FAKE_DOCKER = Path(__file__).with_name("fake_docker.py")


@pytest.fixture
def compose() -> Iterator[tuple[Installation, Installation]]:
    """An old installation, running, and the folder of the new release; `docker` is fake_docker.py."""
    with (
        TemporaryDirectory(prefix="maverik-test-") as old_folder,
        TemporaryDirectory(prefix="maverik-test-") as new_folder,
        TcpPostgres(Path(old_folder), version=16) as old_server,
        TcpPostgres(Path(new_folder)) as new_server,
    ):
        state = Path(new_folder) / "engine"
        for volume in ("old", "new"):
            (state / volume).mkdir(parents=True)
        (state / "old" / "PG_VERSION").write_text("16\n", encoding="utf-8")
        (state / "old-runs").touch()
        variables = {
            "FAKE_DOCKER": str(state),
            "FAKE_DOCKER_OLD": f"{old_server.programs}:{old_server.port}",
            "FAKE_DOCKER_NEW": f"{new_server.programs}:{new_server.port}",
        }
        old, new = (
            install(Path(folder), server, **variables)
            for folder, server in ((old_folder, old_server), (new_folder, new_server))
        )
        fill(old)
        new.do(f'createdb --maintenance-db="{new_server.address()}" {DATABASE}')
        yield tuple(in_checkout(found, name) for found, name in ((old, "maverik_backend"), (new, "maverik")))  # type: ignore[misc]


def in_checkout(found: Installation, name: str) -> Installation:
    """The shell in a folder beside the other release's, as both are checked out."""
    checkout = Path(found.variables["FAKE_DOCKER"]) / name
    checkout.mkdir()
    (checkout / ".env").write_text("APP_ENV=development\n", encoding="utf-8")
    put_on_path(found.folder / "bin", "docker", sys.executable, str(FAKE_DOCKER))
    return Installation(checkout, found.server, found.variables)


def test_the_way_of_docker_compose(compose: tuple[Installation, Installation]) -> None:
    old, new = compose
    with old.connection() as connection:
        own = "sesion_asesoria_id IN (SELECT id FROM sesion_asesoria WHERE usuario_id = 2)"
        for rows in (
            f"sesion_asesoria_detalle WHERE {own}",
            "sesion_asesoria WHERE usuario_id = 2",
            "usuario WHERE id = 2",
        ):
            connection.execute(text(f"DELETE FROM {rows}"))  # noqa: S608 - constants
    before = old.rows("SELECT id, texto_usuario, coalesce(texto_sistema, '') FROM sesion_asesoria_detalle ORDER BY id")
    commands = commands_below(DOCUMENT, "Docker compose")
    turning = next(number for number, command in enumerate(commands) if command.startswith("cp "))

    refused = new.type("docker compose up --build --detach --wait")
    assert (refused.returncode, refused.stderr.count("Nothing was started")) == (1, 1)
    for command in commands[:turning]:
        old.do(command)
    for command in commands[turning:]:
        new.do(command)

    assert (
        new.rows("SELECT id, texto_usuario, coalesce(texto_sistema, '') FROM sesion_asesoria_detalle ORDER BY id")
        == before
    )
    assert new.rows("SELECT count(*) FROM usuario WHERE clave_hash LIKE '$argon2id$%'") == [(len(PEOPLE) - 1,)]
