"""What the program tells people to type works where they read it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maverik_backend.invocation import own_command
from tests.support.paths import ROOT
from tests.support.processes import clean_environment

PACKAGE = ROOT / "maverik_backend"


def environment_in(folder: Path) -> Path:
    """The interpreter of something like a virtual environment in ``folder``: a link to ours."""
    interpreter = folder / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(sys.executable)
    return interpreter


@pytest.mark.parametrize("folder", [".venv", "mi entorno"])
def test_an_environment_that_is_not_activated_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(environment_in(tmp_path / folder)))

    assert shlex.split(own_command("demo")) == [f"{folder}/bin/python", "-m", "maverik_backend", "demo"]


def test_an_environment_elsewhere_is_named_with_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = environment_in(tmp_path / "elsewhere")
    monkeypatch.setattr(sys, "executable", str(interpreter))

    assert own_command("demo") == f"{interpreter} -m maverik_backend demo"


def test_an_activated_one_is_just_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = environment_in(tmp_path)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    monkeypatch.setenv("PATH", str(interpreter.parent))

    assert own_command("demo") == "python -m maverik_backend demo"


def test_a_shell_outside_every_environment_can_run_it() -> None:
    """With a PATH on which the first ``python``, if any, is the system's."""
    line = (
        own_command("--version")
        if shutil.which("python") != sys.executable
        else f"{sys.executable} -m maverik_backend --version"
    )
    environment = {**clean_environment(PYTHONPATH=str(ROOT)), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(  # noqa: S603 - what we say ourselves
        ["/bin/sh", "-c", line], check=False, capture_output=True, text=True, env=environment, timeout=60
    )

    assert (done.returncode, done.stdout[:7]) == (0, "maverik"), done.stderr


def test_nothing_else_is_told_to_be_typed() -> None:
    """A command in a text for people is made by ``own_command``, never written out."""
    spelled = re.compile(r"[\"'`][^\"'\n]*(?:`maverik |python -m maverik_backend)")
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "alembic").rglob("*.py")]
    texts = {
        path.name: found
        for path in sources
        if path.name != "invocation.py"
        and (found := spelled.findall(re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)))
    }

    assert texts == {}
