"""An installation with many people is upgraded in place: nothing is lost, and everybody still gets in."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import argon2
import pytest
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.core import migrations
from maverik_backend.core.database import database_url
from maverik_backend.core.embedded_postgres import load_pgserver
from maverik_backend.core.security import PasswordHasher
from maverik_backend.errors import DatabaseUnavailable
from maverik_backend.invocation import own_command
from maverik_backend.services import accounts
from maverik_backend.settings import Settings
from tests.support.fixtures.database import Alembic, connected, rows
from tests.support.processes import clean_environment

BASE = "0b2e5472511d"
CHEAP = {"argon2_memory_kib": 8}
PEOPLE = 10_000
SESSIONS = 4_000
TURNS = 12_000

MakeAlembic = Callable[[Settings], Alembic]


@pytest.fixture
def old(empty_database: Settings, alembic: MakeAlembic) -> Settings:
    """The tables of an installation from before this repository, empty."""
    alembic(empty_database)("upgrade", BASE)
    return empty_database


@pytest.fixture
def crowded(old: Settings) -> Settings:
    """Thousands of people in those tables."""
    rows(
        old,
        "INSERT INTO usuario (email, clave, fecha_creacion) "
        "SELECT CASE mod(n, 3) WHEN 0 THEN ' Persona' ELSE 'persona' END || n || '@Example.com', "
        "'clave de ' || n, timestamp '2024-01-01' + n * interval '1 minute' FROM generate_series(1, :n) n",
        n=PEOPLE,
    )
    rows(
        old,
        "INSERT INTO sesion_asesoria (usuario_id, proposito_sesion_id, objetivo_id, capital_inicial) "
        "SELECT n * 2, 2, 1 + mod(n, 3), n * 1.5 FROM generate_series(1, :n) n",
        n=SESSIONS,
    )
    rows(
        old,
        "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema) "
        "SELECT 1 + mod(n, :sessions), 'dije ñ ' || n, repeat('contestó ', mod(n, 50)) || n "
        "FROM generate_series(1, :n) n",
        n=TURNS,
        sessions=SESSIONS,
    )
    return old


def add(settings: Settings, *people: tuple[str, str]) -> None:
    for email, key in people:
        rows(settings, "INSERT INTO usuario (email, clave) VALUES (:email, :key)", email=email, key=key)


@contextmanager
def served(settings: Settings, folder: Path) -> Iterator[TestClient]:
    """The API over the upgraded database."""
    app = settings.app.model_copy(update={"local_data_dir": folder})
    changed, hasher = settings.model_copy(update={"app": app}), PasswordHasher(memory_kib=8, passes=1)
    with (
        connected(settings) as database,
        closing(TestClient(create_app(changed, database=database, hasher=hasher))) as api,
    ):
        yield api


def sign_in(api: TestClient, email: str, key: str) -> tuple[int, bool | None]:
    response = api.post("/user/login", json={"email": email, "clave": key})
    return response.status_code, response.json().get("debe_cambiar_clave")


def said(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Counts and texts, in columns that both schemas have."""
    return {
        "usuario": rows(
            settings, "SELECT id, lower(trim(email)) AS email, busca_invertir_en_id FROM usuario ORDER BY id"
        ),
        "sesion_asesoria": rows(
            settings, "SELECT id, usuario_id, objetivo_id, capital_inicial FROM sesion_asesoria ORDER BY id"
        ),
        "sesion_asesoria_detalle": rows(
            settings,
            "SELECT id, sesion_asesoria_id, texto_usuario, texto_sistema FROM sesion_asesoria_detalle ORDER BY id",
        ),
    }


class TestManyPeople:
    def test_nothing_is_lost_there_and_back_and_everybody_gets_in(
        self, crowded: Settings, alembic: MakeAlembic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = said(crowded)
        assert [len(content) for content in before.values()] == [PEOPLE, SESSIONS, TURNS]

        alembic(crowded)("upgrade", "head", **CHEAP)

        assert said(crowded) == before
        progress = capsys.readouterr().err.splitlines()
        assert progress == [f"hashed {done} of {PEOPLE} keys" for done in range(500, PEOPLE + 1, 500)]
        assert rows(crowded, "SELECT count(*) FROM usuario WHERE clave_hash LIKE 'clave%'") == [{"count": 0}]
        with served(crowded, tmp_path) as api:
            for number in (1, 2, 3, 5_001, PEOPLE):
                assert sign_in(api, f"Persona{number}@example.com", f"clave de {number}") == (200, True)
            assert sign_in(api, "persona1@example.com", "clave de 2") == (401, None)

        alembic(crowded)("downgrade", BASE)
        assert said(crowded) == before
        alembic(crowded)("upgrade", "head", **CHEAP)

        assert said(crowded) == before
        assert capsys.readouterr().err == ""  # what is a hash already is not hashed again
        with served(crowded, tmp_path) as api:
            assert sign_in(api, "persona4@example.com", "clave de 4") == (200, True)


class TestInterruption:
    @pytest.fixture
    def crowd(self, old: Settings) -> Settings:
        """1,800 people: three batches and a bit."""
        rows(
            old,
            "INSERT INTO usuario (email, clave) SELECT 'p' || n || '@example.com', 'clave ' || n "
            "FROM generate_series(1, 1800) n",
        )
        return old

    @staticmethod
    def call_while_hashing(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], *, after: int) -> None:
        """Call ``call`` once, in the middle of a batch, when so many keys are hashed; hashing itself is made cheap."""
        real, done = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash, iter(range(10**9))

        def hash_and_call(_self: argon2.PasswordHasher, password: str) -> str:
            if next(done) == after:
                call()
            return real(password)

        monkeypatch.setattr(argon2.PasswordHasher, "hash", hash_and_call)

    def test_each_batch_is_committed_before_the_next_is_hashed_outside_of_a_transaction(
        self, crowd: Settings, alembic: MakeAlembic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[dict[str, Any]] = []
        query = (
            "SELECT (SELECT count(*) FROM usuario WHERE clave NOT LIKE 'clave %') AS hashed, "
            "count(xact_start) AS transactions FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self.call_while_hashing(monkeypatch, lambda: seen.extend(rows(crowd, query)), after=1_200)

        alembic(crowd)("upgrade", "head", **CHEAP)

        assert seen == [{"hashed": 1_000, "transactions": 0}]

    def test_a_database_that_goes_away_is_told_and_what_was_hashed_stays(
        self, crowd: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        end_others = (
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self.call_while_hashing(monkeypatch, lambda: rows(crowd, end_others), after=1_200)

        with pytest.raises(DatabaseUnavailable):
            migrations.upgrade(crowd)

        assert rows(crowd, "SELECT count(*) FROM usuario WHERE clave NOT LIKE 'clave %'") == [{"count": 1_000}]

    def test_what_was_hashed_stays_and_the_rest_follows(
        self,
        crowd: Settings,
        alembic: MakeAlembic,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def fail() -> None:
            raise MemoryError

        with monkeypatch.context() as interrupted:
            self.call_while_hashing(interrupted, fail, after=1_200)
            with pytest.raises(MemoryError):
                alembic(crowd)("upgrade", "head", **CHEAP)
        assert rows(crowd, "SELECT count(*) FROM usuario WHERE clave NOT LIKE 'clave %'") == [{"count": 1_000}]
        assert rows(crowd, "SELECT version_num FROM alembic_version") == [{"version_num": BASE}]
        capsys.readouterr()

        alembic(crowd)("upgrade", "head", **CHEAP)

        assert capsys.readouterr().err.splitlines() == ["hashed 500 of 800 keys", "hashed 800 of 800 keys"]
        with served(crowd, tmp_path) as api:
            for number in (1, 1_000, 1_001, 1_800):
                assert sign_in(api, f"p{number}@example.com", f"clave {number}") == (200, True)


class TestOldKeys:
    @pytest.mark.parametrize(
        ("stored", "typed"),
        [
            pytest.param("x", "x", id="one letter"),
            pytest.param("123456", "123456", id="a common one"),
            pytest.param("", "", id="none"),
            pytest.param(" con bordes ", " con bordes ", id="spaces around"),
            pytest.param("x" * 500, "x" * 500, id="500 characters"),
            pytest.param("😀 密码", "😀 密码", id="any script"),
            pytest.param("$argon2id$v=19$m=8,t=1,p=1$", "$argon2id$v=19$m=8,t=1,p=1$", id="the start of a hash"),
            pytest.param("$argon2id$ es mi clave", "$argon2id$ es mi clave", id="the name of a hash"),
            pytest.param(
                unicodedata.normalize("NFD", "contraseña"), unicodedata.normalize("NFC", "contraseña"), id="NFD, NFC"
            ),
            pytest.param(
                unicodedata.normalize("NFD", "contraseña"), unicodedata.normalize("NFD", "contraseña"), id="NFD, NFD"
            ),
            pytest.param(
                unicodedata.normalize("NFC", "contraseña"), unicodedata.normalize("NFD", "contraseña"), id="NFC, NFD"
            ),
        ],
    )
    def test_it_still_signs_in(
        self, old: Settings, alembic: MakeAlembic, tmp_path: Path, stored: str, typed: str
    ) -> None:
        add(old, ("ana@example.com", stored))

        alembic(old)("upgrade", "head", **CHEAP)

        with served(old, tmp_path) as api:
            assert sign_in(api, "ana@example.com", typed) == (200, True)

    def test_choosing_another_one_is_the_end_of_it(self, old: Settings, alembic: MakeAlembic, tmp_path: Path) -> None:
        add(old, ("ana@example.com", "vieja"))
        alembic(old)("upgrade", "head", **CHEAP)

        with served(old, tmp_path) as api:
            token = api.post("/user/login", json={"email": "ana@example.com", "clave": "vieja"}).json()["access_token"]
            changed = api.put(
                "/user/password",
                json={"clave_actual": "vieja", "clave_nueva": "una clave nueva"},
                headers={"Authorization": f"Bearer {token}"},
            )

            assert changed.status_code == 200
            assert sign_in(api, "ana@example.com", "vieja") == (401, None)
            assert sign_in(api, "ana@example.com", "una clave nueva") == (200, False)


class TestAddresses:
    @pytest.mark.parametrize(
        ("stored", "normal"),
        [
            (" Ana@Example.COM ", "ana@example.com"),
            ("\tana@example.com\n", "ana@example.com"),
            ("ÑANDÚ@example.com", "ñandú@example.com"),
            (unicodedata.normalize("NFD", "ñandú@example.com"), "ñandú@example.com"),
            ("ana@xn--mller-kva.com", "ana@müller.com"),
            ("no es un correo", "no es un correo"),
        ],
    )
    def test_they_become_what_signing_in_looks_for(
        self, old: Settings, alembic: MakeAlembic, tmp_path: Path, stored: str, normal: str
    ) -> None:
        add(old, (stored, "clave"))

        alembic(old)("upgrade", "head", **CHEAP)

        assert rows(old, "SELECT email FROM usuario") == [{"email": normal}]
        with served(old, tmp_path) as api:
            assert sign_in(api, stored, "clave") == (200, True)

    def test_every_shared_one_is_named_before_anything_changes(self, old: Settings, alembic: MakeAlembic) -> None:
        add(old, ("ana@example.com", "1"), ("b@example.com", "2"), (" Ana@Example.com", "3"), ("B@example.com", "4"))
        add(old, ("sola@example.com", "5"), ("ANA@EXAMPLE.COM", "6"))
        before = rows(old, "SELECT * FROM usuario ORDER BY id")

        with pytest.raises(SystemExit) as stopped:
            alembic(old)("upgrade", "head", **CHEAP)

        assert str(stopped.value).splitlines() == [
            (
                "Nothing was changed: these addresses belong to more than one account. Join each pair with "
                f"`{own_command('users merge KEEP DROP')}` and run this again."
            ),
            "  ana@example.com: users 1, 3, 6",
            "  b@example.com: users 2, 4",
        ]
        assert rows(old, "SELECT * FROM usuario ORDER BY id") == before
        assert rows(old, "SELECT version_num FROM alembic_version") == [{"version_num": BASE}]

    def test_merging_on_the_old_tables_lets_the_upgrade_pass(
        self, old: Settings, alembic: MakeAlembic, tmp_path: Path
    ) -> None:
        add(old, ("ana@example.com", "la que uso"), ("ANA@example.com", "la otra"))
        rows(old, "INSERT INTO sesion_asesoria (usuario_id) VALUES (1), (2), (2)")
        rows(
            old,
            "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema) "
            "VALUES (2, 'hola', 'buenas')",
        )

        with connected(old) as database, database.transaction() as session:
            assert accounts.merge(session, keep=1, drop=2) == 2
        alembic(old)("upgrade", "head", **CHEAP)

        assert rows(old, "SELECT usuario_id, count(*) FROM sesion_asesoria GROUP BY 1") == [
            {"usuario_id": 1, "count": 3}
        ]
        assert rows(old, "SELECT texto_usuario FROM sesion_asesoria_detalle") == [{"texto_usuario": "hola"}]
        with served(old, tmp_path) as api:
            assert sign_in(api, "ana@example.com", "la que uso") == (200, True)
            assert sign_in(api, "ana@example.com", "la otra") == (401, None)


class TestBesideAnOlderProcess:
    def test_who_it_erases_takes_the_second_factor_along(self, own_database: Settings) -> None:
        rows(own_database, "INSERT INTO usuario (email, clave_hash) VALUES ('a@b', 'x')")
        rows(own_database, "INSERT INTO segundo_factor (usuario_id, secreto) SELECT id, 'x' FROM usuario")
        rows(own_database, "INSERT INTO codigo_recuperacion (usuario_id, resumen) SELECT id, 'x' FROM usuario")

        rows(own_database, "DELETE FROM usuario")  # it knows neither of the two tables

        assert rows(own_database, "SELECT id FROM segundo_factor") == []
        assert rows(own_database, "SELECT id FROM codigo_recuperacion") == []


class TestTheWayDown:
    def test_a_temporary_key_does_not_come_back_without_its_end(
        self, own_database: Settings, alembic: MakeAlembic, tmp_path: Path
    ) -> None:
        cheap = PasswordHasher(memory_kib=8, passes=1)
        for email, hours in (("mailed@example.com", 1), ("chosen@example.com", None)):
            rows(
                own_database,
                "INSERT INTO usuario (email, clave_hash, clave_vence) "
                "VALUES (:email, :hash, now() + make_interval(hours => :hours))",
                email=email,
                hash=cheap.hash("la clave"),
                hours=hours,
            )

        alembic(own_database)("downgrade", BASE)
        alembic(own_database)("upgrade", "head", **CHEAP)

        with served(own_database, tmp_path) as api:
            assert sign_in(api, "chosen@example.com", "la clave") == (200, True)
            assert sign_in(api, "mailed@example.com", "la clave") == (401, None)

    def test_disabled_accounts_stop_it(self, own_database: Settings, alembic: MakeAlembic) -> None:
        rows(own_database, "INSERT INTO usuario (email, clave_hash, deshabilitado) VALUES ('a@b', 'x', now())")

        with pytest.raises(SystemExit, match="1 disabled accounts would be open again"):
            alembic(own_database)("downgrade", BASE)

        assert rows(own_database, "SELECT deshabilitado IS NULL AS open FROM usuario") == [{"open": False}]

    def test_second_factors_stop_it(self, own_database: Settings, alembic: MakeAlembic) -> None:
        rows(own_database, "INSERT INTO usuario (email, clave_hash) VALUES ('a@b', 'x')")
        active = "INSERT INTO segundo_factor (usuario_id, secreto, activado) SELECT id, 'x', now() FROM usuario"
        rows(own_database, active)

        with pytest.raises(SystemExit, match="1 accounts would lose the second factor"):
            alembic(own_database)("downgrade", BASE)

        assert rows(own_database, "SELECT secreto FROM segundo_factor") == [{"secreto": "x"}]


class TestTheWayBackWithTheBackup:
    """With the commands of docs/UPGRADING.md."""

    @pytest.fixture
    def backup(self, old: Settings, tmp_path: Path) -> Path:
        add(old, ("ana@example.com", "la clave de ana"))
        rows(old, "INSERT INTO sesion_asesoria (usuario_id) VALUES (1)")
        file = tmp_path / "before.dump"
        assert run_client("pg_dump", old, "--format=custom", f"--file={file}", old.database.name) == 0
        return file

    @staticmethod
    def restore(settings: Settings, name: str, backup: Path, *options: str) -> int:
        arguments = ("--exit-on-error", "--single-transaction", "--no-owner", *options, f"--dbname={name}", str(backup))
        return run_client("pg_restore", settings, *arguments)

    def test_leads_into_a_new_database(self, old: Settings, backup: Path, alembic: MakeAlembic) -> None:
        alembic(old)("upgrade", "head", **CHEAP)
        name = f"{old.database.name}_before"
        database = old.database.model_copy(update={"name": name})

        assert run_client("createdb", old, name) == 0
        try:
            assert self.restore(old, name, backup) == 0

            before = old.model_copy(update={"database": database})
            assert rows(before, "SELECT email, clave FROM usuario") == [
                {"email": "ana@example.com", "clave": "la clave de ana"}
            ]
            assert rows(before, "SELECT usuario_id FROM sesion_asesoria") == [{"usuario_id": 1}]
            assert rows(before, "SELECT version_num FROM alembic_version") == [{"version_num": BASE}]
            alembic(before)("upgrade", "head", **CHEAP)
        finally:
            run_client("dropdb", old, "--force", name)

    def test_leads_into_an_emptied_schema(self, old: Settings, backup: Path, alembic: MakeAlembic) -> None:
        alembic(old)("upgrade", "head", **CHEAP)

        rows(old, "DROP SCHEMA public CASCADE")
        rows(old, "CREATE SCHEMA public")

        assert self.restore(old, old.database.name, backup) == 0
        assert rows(old, "SELECT clave FROM usuario") == [{"clave": "la clave de ana"}]

    def test_does_not_lead_over_the_upgraded_tables_and_changes_nothing(
        self, old: Settings, backup: Path, alembic: MakeAlembic
    ) -> None:
        alembic(old)("upgrade", "head", **CHEAP)

        assert self.restore(old, old.database.name, backup, "--clean") != 0

        assert rows(old, "SELECT email, clave_hash LIKE '$argon2id$%' AS hashed FROM usuario") == [
            {"email": "ana@example.com", "hashed": True}
        ]


def run_client(program: str, settings: Settings, *arguments: str) -> int:
    """One of PostgreSQL's own programs, told where the embedded server listens; its exit status."""
    library = load_pgserver()
    programs = library.utils.POSTGRES_VERSIONS[library.utils.TARGET_POSTGRES_VERSION]
    url = database_url(settings)
    where = {"PGHOST": str(url.query["unix_sock"]).rpartition("/")[0], "PGUSER": str(url.username)}
    done = subprocess.run([programs / program, *arguments], check=False, env=clean_environment(**where), timeout=60)  # noqa: S603 - the wheel's
    return done.returncode
