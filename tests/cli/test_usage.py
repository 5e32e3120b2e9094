"""``maverik usage``, as operators use it, and what a merge of accounts makes of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maverik_backend.settings import Settings
from tests.support.fixtures.database import rows
from tests.support.forked import run_forked

Maverik = Callable[..., "CompletedProcess[str]"]
HEADER = ["PRINCIPAL", "ASSISTANT", "MODEL", "REQUESTS", "INPUT", "CACHED", "OUTPUT", "REASONING", "USD"]


@pytest.fixture
def maverik(own_database: Settings, tmp_path: Path) -> Maverik:
    """``maverik("usage")`` on a database of the test's own, where Ana and Beto used two models."""
    rows(
        own_database,
        """
        WITH person AS (
            INSERT INTO usuario (email, clave_hash) VALUES ('ana@example.com', 'x'), ('beto@example.com', 'x')
            RETURNING id, email
        )
        INSERT INTO consumo (principal_id, dia, asistente, modelo, pedidos, tokens_entrada, tokens_reutilizados,
                             tokens_salida, tokens_razonamiento, costo_microusd)
        SELECT id, day::date, 'maverik', model, 2, 100, 60, 20, 5, cost
        FROM person JOIN (VALUES
            ('ana@example.com', '2026-03-01', 'openai:gpt-4o', 1500000),
            ('ana@example.com', '2026-03-31', 'openai:gpt-4o', 500),
            ('beto@example.com', '2026-03-31', 'openai:gpt-4o', 7),
            ('beto@example.com', '2026-04-01', 'gemini:gemini-2.5-pro', 9)
        ) AS used (address, day, model, cost) ON address = email
        """,
    )
    folder, name = str(own_database.app.local_data_dir), own_database.database.name
    return partial(run_forked, cwd=tmp_path, LOCAL_DATA_DIR=folder, DB_NAME=name)


def listed(result: CompletedProcess[str]) -> list[list[str]]:
    assert result.returncode == 0, result.stderr
    header, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert header == HEADER
    return lines


def test_a_month_is_added_up_by_person_assistant_and_model_the_dearest_first(maverik: Maverik) -> None:
    assert listed(maverik("usage", "--month", "2026-03")) == [
        ["ana@example.com", "maverik", "openai:gpt-4o", "4", "200", "120", "40", "10", "1.500500"],
        ["beto@example.com", "maverik", "openai:gpt-4o", "2", "100", "60", "20", "5", "0.000007"],
        ["TOTAL", "-", "-", "6", "300", "180", "60", "15", "1.500507"],
    ]


def test_a_day_of_a_person_is_shown_alone(maverik: Maverik) -> None:
    ((_, _, _, requests, *_, usd), total) = listed(
        maverik("usage", "--day", "2026-03-31", "--principal", "Ana@example.com")
    )

    assert (requests, usd, total[-1]) == ("2", "0.000500", "0.000500")


def test_the_present_month_is_the_default(maverik: Maverik, own_database: Settings) -> None:
    assert maverik("usage").stdout == "Nothing was used.\n"
    rows(own_database, "UPDATE consumo SET dia = (now() AT TIME ZONE interval '-03:00')::date WHERE costo_microusd = 9")

    assert [line[-1] for line in listed(maverik("usage"))] == ["0.000009", "0.000009"]


def test_an_unknown_person_and_two_spans_are_refused_with_a_sentence(maverik: Maverik) -> None:
    unknown = maverik("usage", "--principal", "nadie@example.com")
    both = maverik("usage", "--day", "2026-03-31", "--month", "2026-03")

    assert (unknown.returncode, both.returncode) == (2, 2)
    assert unknown.stderr.startswith("There is no such account")
    assert "exclude each other" in both.stderr


def test_a_merge_adds_the_two_up(maverik: Maverik, own_database: Settings) -> None:
    ids = [str(row["id"]) for row in rows(own_database, "SELECT id FROM usuario ORDER BY email")]

    assert maverik("users", "merge", "--yes", *ids).returncode == 0

    stored = rows(own_database, "SELECT dia::text AS day, pedidos, costo_microusd AS cost FROM consumo ORDER BY dia")
    assert [tuple(row.values()) for row in stored] == [
        ("2026-03-01", 2, 1_500_000),
        ("2026-03-31", 4, 507),
        ("2026-04-01", 2, 9),
    ]
