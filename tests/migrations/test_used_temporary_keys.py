"""Mailed keys that an earlier release let expire although they were used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from maverik_backend.settings import Settings
from tests.support.fixtures.database import Alembic, rows

BEFORE = "c4e8a6f1d273"


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        ((), True),
        (("registro",), True),
        (("registro", "inicio_fallido"), True),
        (("registro", "inicio_de_sesion", "cierre_de_sesion"), False),
        (("registro", "inicio_de_sesion", "clave_reenviada"), True),
        (("registro", "inicio_de_sesion", "clave_reenviada", "inicio_de_sesion"), False),
        (("registro", "inicio_de_sesion", "cuentas_unidas"), True),
    ],
)
def test_a_key_that_was_used_since_it_was_mailed_loses_its_end_and_no_other(
    own_database: Settings, alembic: Callable[[Settings], Alembic], *, events: tuple[str, ...], ends: bool
) -> None:
    alembic(own_database)("downgrade", BEFORE)
    (person,) = rows(
        own_database,
        "INSERT INTO usuario (email, clave_hash, debe_cambiar_clave, clave_vence) "
        "VALUES ('ana@example.com', 'x', true, now() - interval '1 day') RETURNING id",
    )
    for event in events:
        rows(own_database, "INSERT INTO evento_seguridad (usuario_id, tipo) VALUES (:id, :e)", id=person["id"], e=event)

    alembic(own_database)("upgrade", "head")

    assert rows(own_database, "SELECT clave_vence IS NOT NULL AS ends FROM usuario") == [{"ends": ends}]
