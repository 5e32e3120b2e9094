"""Up, down and up again, with people's data in the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from maverik_backend.core.database import make_engine
from maverik_backend.core.migrations import ALEMBIC_INI
from maverik_backend.core.security import PasswordHasher
from maverik_backend.models import SCHEMA_REVISIONS
from maverik_backend.settings import Settings
from tests.support.fixtures.database import Alembic, rows

BASE = "0b2e5472511d"
CHEAP = {"argon2_memory_kib": 8}

MakeAlembic = Callable[[Settings], Alembic]


@pytest.fixture
def old_installation(empty_database: Settings, alembic: MakeAlembic) -> Settings:
    """An installation from before this repository, with two people and what they said."""
    alembic(empty_database)("upgrade", BASE)
    rows(
        empty_database,
        "INSERT INTO usuario (email, clave, fecha_creacion) VALUES "
        "(' Ana@Example.com', 'clave de Ana ñ', '2024-03-01 12:00:00'), ('bob@example.com', 'b0b', NULL)",
    )
    rows(
        empty_database,
        "INSERT INTO sesion_asesoria (usuario_id, proposito_sesion_id, objetivo_id, capital_inicial, fecha_creacion) "
        "VALUES (1, 2, 3, 1000.50, '2024-03-02 09:30:00'), (2, NULL, NULL, NULL, NULL)",
    )
    rows(
        empty_database,
        "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema) "
        "VALUES (1, 'hola', 'buenas'), (1, repeat('ñ', 8000), repeat('x', 8000)), (2, '¿y?', 'eso')",
    )
    return empty_database


class TestRevisions:
    def test_there_is_one_head(self) -> None:
        assert len(ScriptDirectory.from_config(Config(ALEMBIC_INI)).get_heads()) == 1

    def test_the_code_knows_every_revision_in_order(self) -> None:
        script = ScriptDirectory.from_config(Config(ALEMBIC_INI))

        assert tuple(revision.revision for revision in script.walk_revisions())[::-1] == SCHEMA_REVISIONS

    def test_the_tables_are_what_the_models_say(self, own_database: Settings, alembic: MakeAlembic) -> None:
        alembic(own_database)("check")

    def test_everything_goes_down_and_up_again(self, own_database: Settings, alembic: MakeAlembic) -> None:
        alembic(own_database)("downgrade", "base")
        assert tables(own_database) == {"alembic_version"}

        alembic(own_database)("upgrade", "head")
        alembic(own_database)("check")

    def test_another_schema_is_honoured(self, empty_database: Settings, alembic: MakeAlembic) -> None:
        database = empty_database.database.model_copy(update={"schema_name": "Asesoria"})
        settings = empty_database.model_copy(update={"database": database})

        alembic(settings)("upgrade", "head")
        alembic(settings)("check")

        assert "usuario" in tables(settings, schema="Asesoria")
        assert tables(settings, schema="public") == set()


class TestTheOldSchema:
    """What existing installations hold, to the letter (DESIGN, section 7)."""

    @pytest.fixture
    def columns(self, empty_database: Settings, alembic: MakeAlembic) -> dict[str, dict[str, tuple[str, bool]]]:
        alembic(empty_database)("upgrade", BASE)
        found: dict[str, dict[str, tuple[str, bool]]] = {}
        for row in rows(
            empty_database,
            "SELECT table_name, column_name, is_nullable = 'YES' AS nullable, "
            "data_type || coalesce('(' || character_maximum_length || ')', '') AS type "
            "FROM information_schema.columns WHERE table_schema = 'public'",
        ):
            found.setdefault(row["table_name"], {})[row["column_name"]] = (row["type"], row["nullable"])
        return found

    def test_people(self, columns: dict[str, Any]) -> None:
        answers = {
            f"{name}_id": ("smallint", False)
            for name in (
                "conocimiento_alt_inversion",
                "experiencia_invirtiendo",
                "porcentaje_ahorro_mensual",
                "porcentaje_ahorro_invertir",
                "tiempo_mantener_inversion",
                "busca_invertir_en",
                "proporcion_inversion_mantener",
            )
        }

        assert columns["usuario"] == {
            "id": ("bigint", False),
            "email": ("character varying(500)", False),
            "clave": ("character varying(500)", False),
            "fecha_nacimiento": ("date", True),
            "nivel_educativo_id": ("smallint", True),
            **answers,
            "fecha_creacion": ("timestamp without time zone", True),
            "fecha_actualizacion": ("timestamp without time zone", True),
        }

    def test_sessions(self, columns: dict[str, Any]) -> None:
        assert columns["sesion_asesoria"] == {
            "id": ("bigint", False),
            "proposito_sesion_id": ("bigint", True),
            "objetivo_id": ("bigint", True),
            "usuario_id": ("bigint", False),
            "capital_inicial": ("numeric", True),
            "horizonte_temporal": ("smallint", True),
            "tolerancia_al_riesgo_id": ("smallint", True),
            "fecha_creacion": ("timestamp without time zone", True),
        }

    def test_turns(self, columns: dict[str, Any]) -> None:
        assert columns["sesion_asesoria_detalle"] == {
            "id": ("bigint", False),
            "sesion_asesoria_id": ("bigint", False),
            "texto_usuario": ("character varying(8000)", False),
            "texto_sistema": ("character varying(8000)", False),
        }

    def test_foreign_keys_are_named_after_both_tables(self, empty_database: Settings, alembic: MakeAlembic) -> None:
        alembic(empty_database)("upgrade", BASE)
        engine = make_engine(empty_database)
        names = [
            (key["name"], f"fk_{table}_{key['referred_table']}")
            for table in ("usuario", "sesion_asesoria", "sesion_asesoria_detalle")
            for key in inspect(engine).get_foreign_keys(table)
        ]
        engine.dispose()

        assert len(names) == 8 + 4 + 1
        assert all(name == expected for name, expected in names)

    def test_there_is_no_index_but_the_primary_keys(self, empty_database: Settings, alembic: MakeAlembic) -> None:
        alembic(empty_database)("upgrade", BASE)

        names = {
            row["indexname"]
            for row in rows(empty_database, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
        }

        assert all(name.endswith(("_pkey", "_pkc")) for name in names), names


class TestCarryingDataForward:
    def test_the_old_key_still_signs_in_and_is_no_longer_readable(
        self, old_installation: Settings, alembic: MakeAlembic
    ) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)

        ana, bob = rows(old_installation, "SELECT clave_hash FROM usuario ORDER BY id")
        assert PasswordHasher().verify(ana["clave_hash"], "clave de Ana ñ")
        assert PasswordHasher().verify(bob["clave_hash"], "b0b")
        assert "clave de Ana" not in str([ana, bob])

    def test_addresses_are_normalised(self, old_installation: Settings, alembic: MakeAlembic) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)

        assert [row["email"] for row in rows(old_installation, "SELECT email FROM usuario ORDER BY id")] == [
            "ana@example.com",
            "bob@example.com",
        ]

    def test_times_are_read_as_utc(self, old_installation: Settings, alembic: MakeAlembic) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)

        (row,) = rows(old_installation, "SELECT fecha_creacion FROM sesion_asesoria WHERE id = 1")
        assert row["fecha_creacion"].isoformat() == "2024-03-02T09:30:00+00:00"

    def test_turns_count_as_answered_at_an_unknown_time(self, old_installation: Settings, alembic: MakeAlembic) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)

        turns = rows(old_installation, "SELECT DISTINCT estado, fecha_creacion FROM sesion_asesoria_detalle")
        assert turns == [{"estado": "completada", "fecha_creacion": None}]

    def test_a_session_without_purpose_gets_the_default(self, old_installation: Settings, alembic: MakeAlembic) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)

        assert rows(old_installation, "SELECT proposito_sesion_id FROM sesion_asesoria WHERE id = 2") == [
            {"proposito_sesion_id": 1}
        ]

    def test_down_and_up_again_keeps_every_row_text_and_key(
        self, old_installation: Settings, alembic: MakeAlembic
    ) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)
        before = contents(old_installation)

        alembic(old_installation)("downgrade", BASE)
        alembic(old_installation)("upgrade", "head", **CHEAP)

        assert contents(old_installation) == before

    def test_a_shared_address_stops_before_anything_is_changed(
        self, old_installation: Settings, alembic: MakeAlembic
    ) -> None:
        rows(old_installation, "INSERT INTO usuario (email, clave) VALUES ('ANA@example.com ', 'otra')")
        before = rows(old_installation, "SELECT email, clave FROM usuario ORDER BY id")

        with pytest.raises(SystemExit, match=r"ana@example\.com: users 1, 3"):
            alembic(old_installation)("upgrade", "head", **CHEAP)

        assert rows(old_installation, "SELECT email, clave FROM usuario ORDER BY id") == before

    def test_a_text_too_long_for_the_old_tables_stops_the_way_down(
        self, old_installation: Settings, alembic: MakeAlembic
    ) -> None:
        alembic(old_installation)("upgrade", "head", **CHEAP)
        rows(old_installation, "UPDATE sesion_asesoria_detalle SET texto_sistema = repeat('x', 8001) WHERE id = 1")

        with pytest.raises(SystemExit, match="1 turns are longer"):
            alembic(old_installation)("downgrade", BASE)

        assert rows(old_installation, "SELECT max(length(texto_sistema)) AS longest FROM sesion_asesoria_detalle") == [
            {"longest": 8001}
        ]

    def test_mails_that_wait_stop_the_way_down(self, own_database: Settings, alembic: MakeAlembic) -> None:
        rows(own_database, "INSERT INTO correo_saliente (asunto, carga) VALUES ('a', 'b')")

        with pytest.raises(SystemExit, match="1 mails have not left"):
            alembic(own_database)("downgrade", "base")

        assert "correo_saliente" in tables(own_database)


class TestPeopleAreUnique:
    def test_an_address_in_other_letters_is_the_same_person(self, own_database: Settings) -> None:
        insert = "INSERT INTO usuario (email, clave_hash) VALUES (:email, 'x')"
        rows(own_database, insert, email="ana@example.com")

        with pytest.raises(Exception, match="uq_usuario_email"):
            rows(own_database, insert, email="ANA@example.com")


def tables(settings: Settings, schema: str = "public") -> set[str]:
    statement = "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema"
    return {row["table_name"] for row in rows(settings, statement, schema=schema)}


def contents(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    return {
        "usuario": rows(settings, "SELECT id, email, clave_hash, fecha_creacion FROM usuario ORDER BY id"),
        "sesion_asesoria": rows(settings, "SELECT * FROM sesion_asesoria ORDER BY id"),
        "sesion_asesoria_detalle": rows(settings, "SELECT * FROM sesion_asesoria_detalle ORDER BY id"),
    }
