"""Node for tests that need other people's JavaScript: one process that answers a JSON line with a JSON line.

``deployments/bootstrap.py dev`` installs the packages of ``tests/node/package.json`` where Node 20 is at hand. Where it
is not, such tests are skipped, except in CI (``CI=true``), where that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from types import TracebackType
from typing import Any, Self

import pytest

from tests.support.paths import ROOT

SCRIPTS = ROOT / "tests" / "node"
INSTALLED = ROOT / ".venv" / "node"
OLDEST_NODE = 20


@cache
def missing() -> str | None:
    """Why there is no Node for tests, ``None`` where there is one."""
    node = shutil.which("node")
    if node is None:
        return "there is no node on PATH"
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        return f"node is {version}; {OLDEST_NODE} or newer is needed"
    if not (INSTALLED / "node_modules" / ".installed").is_file():
        return "the packages of tests/node are not installed: python3 deployments/bootstrap.py dev"
    return None


def require() -> None:
    """Skip the test that needs Node where there is none; in CI, fail it."""
    if reason := missing():
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)


class NodeScript:
    """A running script of ``tests/node``; a context manager."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> Self:
        # Read as an argument, a module finds packages from the current folder rather than from its own.
        script = (SCRIPTS / self._name).read_text(encoding="utf-8")
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            [shutil.which("node") or "node", "--input-type=module", "--eval", script],
            cwd=INSTALLED,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, value: Any) -> Any:
        """What the script answers to ``value``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        return self.read()

    def read(self) -> Any:
        """The script's next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self._name} ended"
        return json.loads(line)
