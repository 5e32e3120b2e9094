"""Each line of the table of what is kept, on both sides of its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from maverik_backend.core.database import Database
from maverik_backend.services.operations import clean_up, keep_used_passwords

Insert = Callable[..., int]


@pytest.fixture
def person(connection: Connection) -> int:
    statement = "INSERT INTO usuario (email, clave_hash) VALUES ('a@example.com', 'x') RETURNING id"
    return int(connection.scalar(text(statement)) or 0)


@pytest.fixture
def clean(database: Database) -> Callable[[], int]:
    def run() -> int:
        with database.transaction() as session:
            return clean_up(session)

    return run


@pytest.fixture(autouse=True)
def _nothing_else(clean: Callable[[], int]) -> None:
    clean()


def ago(days: float, seconds: float = 0) -> str:
    return f"now() - interval '{days} days {seconds} seconds'"


def add(connection: Connection, table: str, **values: Any) -> None:
    """A row; values are SQL."""
    columns, content = ", ".join(values), ", ".join(str(value) for value in values.values())
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({content})"))  # noqa: S608 - the test's own


CHUNK = {"turno_id": "1", "intento": "1", "numero": "0", "eventos": "'[]'"}

# (what is just kept, what just goes), each with the person's id filled in.
LINES: dict[str, tuple[tuple[str, dict[str, str]], tuple[str, dict[str, str]]]] = {
    "counters until their window has passed": (
        ("limite_uso", {"clave": "'k'", "cuenta": "1", "vence": ago(0, -5)}),
        ("limite_uso", {"clave": "'k'", "cuenta": "1", "vence": ago(0, 5)}),
    ),
    "links until they expire": (
        ("enlace_clave", {"usuario_id": "{id}", "resumen": r"'\x00'", "vence": ago(0, -5)}),
        ("enlace_clave", {"usuario_id": "{id}", "resumen": r"'\x00'", "vence": ago(0, 5)}),
    ),
    "second factors that wait to be confirmed for an hour": (
        ("segundo_factor", {"usuario_id": "{id}", "secreto": "'x'", "fecha_creacion": ago(0, 3595)}),
        ("segundo_factor", {"usuario_id": "{id}", "secreto": "'x'", "fecha_creacion": ago(0, 3605)}),
    ),
    "events of a running turn for an hour": (
        ("turno_fragmento", {**CHUNK, "fecha_creacion": ago(0, 3595)}),
        ("turno_fragmento", {**CHUNK, "numero": "1", "fecha_creacion": ago(0, 3605)}),
    ),
    "leases for a day after they ran out": (
        ("proceso", {"id": "gen_random_uuid()", "vence": ago(1, -5)}),
        ("proceso", {"id": "gen_random_uuid()", "vence": ago(1, 5)}),
    ),
    "closed logins for 30 days": (
        ("inicio_sesion", {"usuario_id": "{id}", "vence": ago(-9), "cerrado": ago(30, -5)}),
        ("inicio_sesion", {"usuario_id": "{id}", "vence": ago(-9), "cerrado": ago(30, 5)}),
    ),
    "expired logins for 30 days": (
        ("inicio_sesion", {"usuario_id": "{id}", "vence": ago(30, -5)}),
        ("inicio_sesion", {"usuario_id": "{id}", "vence": ago(30, 5)}),
    ),
    **{
        f"jobs that are {state} for 30 days": (
            ("trabajo", {"tipo": "'t'", "referencia": "'r'", "estado": f"'{state}'", "fecha_fin": ago(30, -5)}),
            ("trabajo", {"tipo": "'t'", "referencia": "'r'", "estado": f"'{state}'", "fecha_fin": ago(30, 5)}),
        )
        for state in ("hecho", "fallido", "descartado")
    },
    "events for two years": (
        ("evento_seguridad", {"usuario_id": "{id}", "tipo": "'registro'", "fecha_creacion": ago(730, -5)}),
        ("evento_seguridad", {"usuario_id": "{id}", "tipo": "'registro'", "fecha_creacion": ago(730, 5)}),
    ),
    "events of nobody's account for 30 days": (
        ("evento_seguridad", {"tipo": "'inicio_fallido'", "fecha_creacion": ago(30, -5)}),
        ("evento_seguridad", {"tipo": "'inicio_fallido'", "fecha_creacion": ago(30, 5)}),
    ),
    "that somebody was erased for two years": (
        ("evento_seguridad", {"tipo": "'cuenta_borrada'", "fecha_creacion": ago(730, -5)}),
        ("evento_seguridad", {"tipo": "'cuenta_borrada'", "fecha_creacion": ago(730, 5)}),
    ),
}


@pytest.mark.parametrize("line", LINES)
class TestEveryLine:
    @staticmethod
    def insert(connection: Connection, person: int, row: tuple[str, dict[str, str]]) -> None:
        table, values = row
        add(connection, table, **{name: value.replace("{id}", str(person)) for name, value in values.items()})

    def test_it_is_kept_so_long(self, connection: Connection, person: int, clean: Callable[[], int], line: str) -> None:
        self.insert(connection, person, LINES[line][0])

        assert clean() == 0

    def test_it_goes_then(self, connection: Connection, person: int, clean: Callable[[], int], line: str) -> None:
        self.insert(connection, person, LINES[line][1])

        assert clean() == 1
        assert connection.scalar(text(f"SELECT count(*) FROM {LINES[line][1][0]}")) == 0  # noqa: S608


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ((), 0),
        (("registro", "inicio_fallido"), 0),
        (("registro", "inicio_de_sesion", "cierre_de_sesion"), 1),
        (("inicio_de_sesion", "clave_reenviada"), 0),
        (("inicio_de_sesion", "clave_reenviada", "inicio_de_sesion"), 1),
        (("inicio_de_sesion", "cuentas_unidas"), 0),
    ],
)
def test_a_mailed_key_that_an_older_process_took_since_loses_its_end_and_no_other(
    connection: Connection, database: Database, person: int, *, events: tuple[str, ...], kept: int
) -> None:
    connection.execute(text("UPDATE usuario SET clave_vence = now() - interval '1 day'"))
    for event in events:
        add(connection, "evento_seguridad", usuario_id=person, tipo=f"'{event}'")

    with database.transaction() as session:
        assert keep_used_passwords(session) == kept

    ends = connection.scalar(text("SELECT clave_vence IS NOT NULL FROM usuario"))
    assert ends is (kept == 0)


class TestWhatIsNeverCleanedUp:
    def test_people_and_what_they_said(self, connection: Connection, person: int, clean: Callable[[], int]) -> None:
        connection.execute(text(f"UPDATE usuario SET fecha_creacion = {ago(9999)}"))  # noqa: S608
        add(connection, "sesion_asesoria", usuario_id=person, fecha_creacion=ago(9999))

        assert clean() == 0

    def test_jobs_that_wait(self, connection: Connection, clean: Callable[[], int]) -> None:
        add(connection, "trabajo", tipo="'t'", referencia="'r'", carga="'x'", fecha_creacion=ago(9999))

        assert clean() == 0

    def test_second_factors_that_are_active(
        self, connection: Connection, person: int, clean: Callable[[], int]
    ) -> None:
        add(connection, "segundo_factor", usuario_id=person, secreto="'x'", activado="now()", fecha_creacion=ago(9999))

        assert clean() == 0

    def test_logins_that_are_open(self, connection: Connection, person: int, clean: Callable[[], int]) -> None:
        add(connection, "inicio_sesion", usuario_id=person, vence=ago(-1), fecha_creacion=ago(9999))

        assert clean() == 0
