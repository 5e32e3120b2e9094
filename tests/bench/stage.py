"""What the measurements play on: a database full of people, a RAG service, the product and the baseline.

PostgreSQL runs over TCP and waits for the disk at each commit, as in production. People, sessions and their earlier
turns are written with SQL; every session has had its first answer and its portfolio, so a turn is one call to the RAG
service and nothing else.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr
from sqlalchemy import text

from maverik_backend.core import migrations
from maverik_backend.core.database import Database, make_engine
from maverik_backend.core.security import Keyring, PasswordHasher, generate_paserk
from maverik_backend.core.tokens import Tokens
from maverik_backend.settings import DatabaseSettings, Settings
from tests.bench.load import LOOPBACK, make_call
from tests.support.fixtures.application import local_settings
from tests.support.paths import ROOT
from tests.support.postgres import PASSWORD, USER, TcpPostgres
from tests.support.processes import ServerProcess, clean_environment

PEOPLE = 1_200
EARLIER_TURNS = 20
KEY = "una clave que nadie adivina"
_SAID = "¿Qué hago con lo que ahorro cada mes, si quiero comprar una casa en cinco años?"
_ANSWERED = "Conviene empezar por un presupuesto y un fondo de emergencia. " * 8

_MAKE_PEOPLE = """
    INSERT INTO usuario (email, clave_hash, email_verificado, fecha_nacimiento)
    SELECT 'persona' || n || '@example.com', :hash, now(), '1990-05-17' FROM generate_series(1, :people) n
"""
_MAKE_LOGINS = "INSERT INTO inicio_sesion (usuario_id, vence) SELECT id, now() + interval '1 day' FROM usuario"
_MAKE_SESSIONS = """
    INSERT INTO sesion_asesoria (usuario_id, proposito_sesion_id, objetivo_id, capital_inicial, horizonte_temporal,
                                 tolerancia_al_riesgo_id, respondida, portafolio_entregado)
    SELECT id, 2, 1, 15000, 36, 2, now(), now() FROM usuario
"""
_MAKE_TURNS = """
    INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado, origen)
    SELECT s.id, :said, :answered, 'completada', 'rag' FROM sesion_asesoria s, generate_series(1, :turns)
    WHERE s.id = ANY(:sessions)
"""
_DELETE_TURNS = "DELETE FROM sesion_asesoria_detalle WHERE sesion_asesoria_id = ANY(:sessions)"
_GET_PEOPLE = """
    SELECT u.id, u.email, i.id, s.id FROM usuario u
    JOIN inicio_sesion i ON i.usuario_id = u.id JOIN sesion_asesoria s ON s.usuario_id = u.id ORDER BY u.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed in and has one session."""

    email: str
    token: str
    session_id: int

    def say(self) -> bytes:
        """One turn."""
        return make_call("POST", self._path, token=self.token, body={"input": _SAID})

    def say_streamed(self, said: str) -> bytes:
        """One turn, whose events are streamed."""
        headers = "Accept: text/event-stream\r\n"
        return make_call("POST", self._path, token=self.token, body={"input": said}, headers=headers)

    def resume(self) -> bytes:
        """The stream of the turn that runs."""
        return make_call("GET", f"{self._path}/stream", token=self.token)

    def read_history(self) -> bytes:
        return make_call("GET", f"{self._path}?limit=20", token=self.token)

    def log_in(self, address: int) -> bytes:
        """Signing in, as it comes through a proxy; a number for each address."""
        forwarded = f"X-Forwarded-For: 10.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}\r\n"
        return make_call("POST", "/user/login", body={"email": self.email, "clave": KEY}, headers=forwarded)

    @property
    def _path(self) -> str:
        return f"/copilot/sessions/{self.session_id}"


class Baseline(ServerProcess):
    """The hand-written turn, under the same server."""

    command: ClassVar[tuple[str, ...]] = ("-m", "uvicorn", "tests.bench.baseline:app", "--log-level", "warning")


class Stage:
    """``is_quick``: a look instead of a measurement, with a quarter of the time for everything."""

    def __init__(self, folder: Path, postgres: TcpPostgres, *, rag_port: int, is_quick: bool) -> None:
        self.is_quick = is_quick
        self.rag_port = rag_port
        self._folder = folder
        self._paserk = generate_paserk()
        self._servers = itertools.count(1)
        self._addresses = itertools.count(1)
        self._postgres_port = postgres.port
        self._database = Database(make_engine(self._settings()))
        migrations.upgrade(self._settings())
        self.people = self._make_people()

    def seconds(self, seconds: float) -> float:
        """How long to measure what deserves ``seconds``."""
        return seconds / 4 if self.is_quick else seconds

    def rounds(self, count: int) -> int:
        return max(1, count // 4) if self.is_quick else count

    @property
    def postgres_version(self) -> str:
        with self._database.transaction() as session:
            return str(session.scalar(text("SHOW server_version")))

    def product(self, *, rag: str = "0", **variables: str) -> ServerProcess:
        """``maverik serve`` whose RAG service takes ``rag`` milliseconds."""
        return ServerProcess(self.server_folder(), **self.environment(rag), **variables)

    def baseline(self) -> Baseline:
        return Baseline(self.server_folder(), **self.environment("0"))

    def next_address(self) -> int:
        """One that nobody called from before: no limit is met."""
        return next(self._addresses)

    def set_history(self, *people: Person, turns: int, chars: int | None = None) -> None:
        """Let each one's session consist of so many answered turns; ``chars`` is how long both of their texts are."""
        sessions = [person.session_id for person in people]
        said, answered = (_SAID, _ANSWERED) if chars is None else ("s" * chars, "a" * chars)
        values = {"said": said, "answered": answered, "turns": turns, "sessions": sessions}
        with self._database.transaction() as session:
            session.execute(text(_DELETE_TURNS), {"sessions": sessions})
            session.execute(text(_MAKE_TURNS), values)

    def tidy(self) -> None:
        """What autovacuum would do some day in the middle of a measurement."""
        self.change("VACUUM ANALYZE", "CHECKPOINT")

    def change(self, *statements: str) -> None:
        """Run statements that may take long, each a transaction of its own, on one connection."""
        engine = make_engine(self._settings(), for_migrations=True)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The database with connections of its own, as one more process has them."""
        database = Database(make_engine(self._settings()))
        try:
            yield database
        finally:
            database.dispose()

    def close(self) -> None:
        self._database.dispose()

    def _make_people(self) -> list[Person]:
        hashed = PasswordHasher().hash(KEY)
        with self._database.transaction() as session:
            session.execute(text(_MAKE_PEOPLE), {"hash": hashed, "people": PEOPLE})
            session.execute(text(_MAKE_LOGINS))
            session.execute(text(_MAKE_SESSIONS))
            rows = session.execute(text(_GET_PEOPLE)).all()
        ttl = timedelta(days=1)
        tokens = Tokens(Keyring([self._paserk]), access_ttl=ttl, refresh_ttl=ttl)
        people = [
            Person(
                email=email,
                token=tokens.issue_access(user_id=user_id, login_id=login_id).token,
                session_id=session_id,
            )
            for user_id, email, login_id, session_id in rows
        ]
        self.set_history(*people, turns=EARLIER_TURNS)
        self.tidy()
        return people

    def _settings(self) -> Settings:
        database = DatabaseSettings.isolated(
            host=LOOPBACK,
            port=self._postgres_port,
            name="postgres",
            schema_name="public",
            username=USER,
            password=SecretStr(PASSWORD),
        )
        return local_settings(self._folder).model_copy(update={"database": database})

    def environment(self, rag: str) -> dict[str, str]:
        """Variables of a server whose RAG service takes ``rag`` milliseconds."""
        return {
            "DB_HOST": LOOPBACK,
            "DB_PORT": str(self._postgres_port),
            "DB_NAME": "postgres",
            "DB_USERNAME": USER,
            "DB_PASSWORD": PASSWORD,
            "SECRET_KEY": self._paserk,
            "RAG_SERVICE_URL": f"http://{LOOPBACK}:{self.rag_port}/{rag}",
            "TRUSTED_PROXY_COUNT": "1",
            "EXTERNAL_SERVICE_TIMEOUT": "300",
        }

    def server_folder(self) -> Path:
        """A new one."""
        folder = self._folder / f"server{next(self._servers)}"
        folder.mkdir()
        return folder


@contextmanager
def rag_service() -> Iterator[int]:
    """The port of a RAG service in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.rag_service"],
        env=clean_environment(PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
