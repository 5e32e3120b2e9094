"""``maverik documents``, as operators use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maverik_backend.settings import Settings
from tests.support import pdf
from tests.support.processes import run_maverik

Maverik = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def maverik(own_database: Settings, tmp_path: Path) -> Maverik:
    """``maverik("documents", ...)`` on a database of the test's own, in a folder with files."""
    (tmp_path / "guia.md").write_text("# Guía\n\nEl ñandú empolla cuarenta días.", encoding="utf-8")
    (tmp_path / "hojas.pdf").write_bytes(pdf.make_pdf("Una hoja con texto.", "Otra hoja más."))
    (tmp_path / "falso.pdf").write_bytes(b"no es un PDF")

    def run(*arguments: str) -> CompletedProcess[str]:
        folder, name = str(own_database.app.local_data_dir), own_database.database.name
        return run_maverik(*arguments, cwd=tmp_path, LOCAL_DATA_DIR=folder, DB_NAME=name)

    return run


def test_files_are_added_read_listed_and_removed(maverik: Maverik) -> None:
    added = maverik("documents", "add", "guias", "guia.md", "hojas.pdf")
    assert added.returncode == 0, added.stderr
    first, second = (line.split("\t")[0] for line in added.stdout.splitlines())
    assert maverik("jobs", "run").stdout == "2 done\n"

    listed = [line.split("\t") for line in maverik("documents", "list", "guias").stdout.splitlines()[1:]]
    assert [(one[0], one[1], one[4], one[6]) for one in listed] == [
        (first, "listo", "-", "guia"),
        (second, "listo", "2/2", "hojas"),
    ]

    removed = maverik("documents", "remove", "guias", first, "99999")
    assert (removed.returncode, removed.stdout) == (2, "1 documents removed.\n")
    assert removed.stderr == "Not 99999: there is no such document in guias.\n"


def test_what_is_no_document_is_told_in_a_sentence(maverik: Maverik) -> None:
    result = maverik("documents", "add", "guias", "falso.pdf")

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("falso.pdf: El archivo dice ser un PDF")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "articulos", "guia.md"), "ships with the product"),
        (("add", "Mis Guías", "guia.md"), "lower-case letters"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(maverik: Maverik, arguments: tuple[str, ...], says: str) -> None:
    result = maverik("documents", *arguments)

    assert result.returncode == 2
    assert says in result.stderr


def test_an_assistants_collection_is_its_own(maverik: Maverik) -> None:
    assert maverik("documents", "add", "guias", "guia.md", "--assistant", "fauna").returncode == 0

    assert maverik("documents", "list", "guias").stdout == "There are no such documents.\n"
    assert "guia" in maverik("documents", "list", "guias", "--assistant", "fauna").stdout
