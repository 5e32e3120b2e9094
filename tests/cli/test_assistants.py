"""``maverik assistants``, as operators use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maverik_backend.settings import Settings
from tests.support.fixtures.database import rows
from tests.support.forked import run_forked

Maverik = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def maverik(own_database: Settings, tmp_path: Path) -> Maverik:
    """``maverik("assistants", "list")`` on a database of the test's own."""
    folder, name = str(own_database.app.local_data_dir), own_database.database.name
    return partial(run_forked, cwd=tmp_path, LOCAL_DATA_DIR=folder, DB_NAME=name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one assistant of a model."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "eva.md").write_text("Sos $assistant.", encoding="utf-8")
    (folder / "eva.toml").write_text('name = "Eva"\nkind = "model"\ninstructions = "eva.md"\n', encoding="utf-8")
    return folder


@pytest.fixture
def version(own_database: Settings) -> str:
    """A version of ``eva`` that has answered."""
    rows(
        own_database,
        "INSERT INTO asistente_version (asistente, version, contenido) VALUES ('eva', 'abc', CAST(:content AS jsonb))",
        content='{"name": "Eva", "instructions": "Sos breve, año a año."}',
    )
    return "abc"


def test_list_tells_whether_something_answers(maverik: Maverik, folder: Path) -> None:
    listed = maverik("assistants", "list", ASSISTANTS_DIR=str(folder)).stdout
    answers = {line.split("\t")[0]: line.split("\t")[4] for line in listed.splitlines()[1:]}
    assert answers == {"eva": "no", "maverik": "no", "maverik-integrado": "yes", "maverik-rag": "no"}


def test_check_counts_what_has_no_faults(maverik: Maverik, folder: Path) -> None:
    checked = maverik("assistants", "check", str(folder))
    assert checked.stdout == "4 assistants, no faults: eva, maverik, maverik-integrado, maverik-rag.\n"


def test_check_tells_each_fault_in_a_sentence(maverik: Maverik, folder: Path) -> None:
    (folder / "eva.toml").write_text('name = "Eva"\nkind = "robot"\ncolour = 1\n', encoding="utf-8")

    checked = maverik("assistants", "check", str(folder))

    assert checked.returncode == 2
    assert [line.partition(":")[0] for line in checked.stderr.splitlines()] == ["eva.toml", "eva.toml"]


def test_versions_are_those_that_have_answered(maverik: Maverik, version: str) -> None:
    assert maverik("assistants", "versions", "eva").stdout.startswith(f"{version}\t")


def test_show_prints_a_version_whole(maverik: Maverik, version: str) -> None:
    shown = json.loads(maverik("assistants", "show", "eva", version).stdout)
    assert shown == {"name": "Eva", "instructions": "Sos breve, año a año."}


@pytest.mark.parametrize("arguments", [("versions", "nadie"), ("show", "nadie", "abc")])
def test_what_never_answered_is_said_in_a_sentence(maverik: Maverik, arguments: tuple[str, ...]) -> None:
    refused = maverik("assistants", *arguments)
    assert refused.returncode == 2
    assert "nadie" in refused.stderr
    assert "Traceback" not in refused.stderr
