"""``maverik jobs``, as operators use it: what is listed, what is changed, and what is never shown."""

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
SECRET = "mi-secreto"


@pytest.fixture
def maverik(own_database: Settings, tmp_path: Path) -> Maverik:
    """``maverik("jobs", "list")`` on a database of the test's own."""
    folder, name = str(own_database.app.local_data_dir), own_database.database.name
    return partial(run_forked, cwd=tmp_path, LOCAL_DATA_DIR=folder, DB_NAME=name)


@pytest.fixture
def jobs(own_database: Settings) -> Settings:
    """Jobs 1 to 6: new, waiting for an attempt, running, dead, dead of another kind, done."""
    rows(
        own_database,
        """
        INSERT INTO trabajo (tipo, referencia, sujeto, descripcion, carga, estado, intentos, error, fecha_creacion,
                             proximo_intento, vence, proceso, fecha_fin)
        SELECT kind, 'r', subject, description, content, state, attempts, error, now() - age::interval,
               now() + next::interval, now() + lease::interval, CASE WHEN lease IS NOT NULL THEN gen_random_uuid() END,
               CASE WHEN state <> 'pendiente' THEN now() END
        FROM (VALUES
            ('correo', NULL, 'Hola', :secret, 'pendiente', 0, NULL, '5 seconds', '0', NULL),
            ('correo', NULL, 'Hola', :secret, 'pendiente', 4, 'timeout', '90 minutes', '210 minutes', NULL),
            ('correo', NULL, 'Hola', :secret, 'pendiente', 1, NULL, '2 minutes', '0', '1 minute'),
            ('correo', NULL, 'Adiós', :secret, 'fallido', 1, 'refused', '50 hours', '-50 hours', NULL),
            ('mensaje', 'conversacion:7', '', :secret, 'fallido', 1, 'defect', '50 hours', '-50 hours', NULL),
            ('correo', NULL, 'Salió', NULL, 'hecho', 1, NULL, '0', '0', NULL)
        ) AS job (kind, subject, description, content, state, attempts, error, age, next, lease)
        """,
        secret=SECRET,
    )
    return own_database


def states(settings: Settings) -> list[str]:
    return [row["estado"] for row in rows(settings, "SELECT estado FROM trabajo ORDER BY id")]


def listed(result: CompletedProcess[str]) -> list[list[str]]:
    """The columns of each line below the header, without the age of the first job, which passes."""
    assert result.returncode == 0, result.stderr
    return [line.split("\t") for line in result.stdout.splitlines()[1:]]


class TestList:
    def test_each_open_job_is_shown_with_its_age_its_next_attempt_and_its_last_error(
        self, maverik: Maverik, jobs: Settings
    ) -> None:
        del jobs
        result = maverik("jobs", "list")

        header = ["ID", "KIND", "STATE", "ORDER", "AGE", "ATTEMPTS", "NEXT ATTEMPT", "LAST ERROR", "DESCRIPTION"]
        assert result.stdout.splitlines()[0].split("\t") == header
        new, *others = listed(result)
        assert new[4].endswith((" s", " min"))
        assert [*new[:4], *new[5:]] == ["1", "correo", "pendiente", "-", "0", "due", "-", "Hola"]
        assert others[0] == ["2", "correo", "pendiente", "-", "1 h", "4", "in 3 h", "timeout", "Hola"]
        assert others[1][6] in {"running", "due"}  # its lease is a minute
        assert others[2:] == [
            ["4", "correo", "fallido", "-", "2 d", "1", "never", "refused", "Adiós"],
            ["5", "mensaje", "fallido", "conversacion:7", "2 d", "1", "never", "defect", "-"],
        ]

    @pytest.mark.parametrize(
        ("options", "ids"),
        [
            (("--kind", "mensaje"), ["5"]),
            (("--state", "fallido"), ["4", "5"]),
            (("--state", "hecho"), ["6"]),
            (("--kind", "correo", "--state", "fallido"), ["4"]),
            (("--limit", "2"), ["1", "2"]),
        ],
        ids=" ".join,
    )
    def test_they_are_chosen_by_kind_and_state(
        self, maverik: Maverik, jobs: Settings, options: tuple[str, ...], ids: list[str]
    ) -> None:
        del jobs
        assert [line[0] for line in listed(maverik("jobs", "list", *options))] == ids

    def test_neither_an_address_nor_a_payload_is_shown(self, maverik: Maverik, jobs: Settings) -> None:
        del jobs
        maverik("users", "create", "ana@example.com")

        result = maverik("jobs", "list")

        assert len(listed(result)) == 6
        assert "ana" not in result.stdout
        assert SECRET not in result.stdout

    def test_none_is_told_in_a_sentence(self, maverik: Maverik) -> None:
        assert maverik("jobs", "list").stdout == "There are no such jobs.\n"


class TestRetry:
    def test_a_dead_job_and_one_that_waits_are_due_again(self, maverik: Maverik, jobs: Settings) -> None:
        result = maverik("jobs", "retry", "2", "4")

        assert (result.returncode, result.stdout) == (0, "2 jobs will be tried again.\n"), result.stderr
        due = rows(jobs, "SELECT id FROM trabajo WHERE estado = 'pendiente' AND proximo_intento <= now() ORDER BY id")
        assert [row["id"] for row in due] == [1, 2, 3, 4]

    def test_a_kind_means_its_dead_jobs(self, maverik: Maverik, jobs: Settings) -> None:
        assert maverik("jobs", "retry", "--kind", "mensaje").stdout == "1 jobs will be tried again.\n"
        assert states(jobs) == [*["pendiente"] * 3, "fallido", "pendiente", "hecho"]

    def test_what_cannot_be_is_named(self, maverik: Maverik, jobs: Settings) -> None:
        del jobs
        result = maverik("jobs", "retry", "4", "6", "99")

        assert (result.returncode, result.stdout) == (2, "1 jobs will be tried again.\n")
        assert result.stderr == "Not 6, 99: there is no such job, or it is running, ended, or without its content.\n"


class TestDiscard:
    def test_a_discarded_job_has_no_payload_any_more(self, maverik: Maverik, jobs: Settings) -> None:
        result = maverik("jobs", "discard", "--yes", "1", "--kind", "mensaje")

        assert (result.returncode, result.stdout) == (0, "2 jobs discarded.\n"), result.stderr
        assert states(jobs) == ["descartado", "pendiente", "pendiente", "fallido", "descartado", "hecho"]
        assert rows(jobs, "SELECT count(carga) FROM trabajo WHERE estado = 'descartado'") == [{"count": 0}]

    def test_it_asks_first(self, maverik: Maverik, jobs: Settings) -> None:
        result = maverik("jobs", "discard", "4")

        assert result.returncode == 1
        assert states(jobs)[3] == "fallido"


@pytest.mark.parametrize("command", ["retry", "discard"])
def test_which_jobs_are_meant_must_be_said(maverik: Maverik, command: str) -> None:
    result = maverik("jobs", command)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "Name jobs by their ids, or say --kind KIND for all of a kind that are dead.\n"
