"""How to run this program again from where it was started, for the commands that it tells people to type."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def own_command(arguments: str = "") -> str:
    """``arguments`` as a line that a shell in the same folder takes: ``.venv/bin/python -m maverik_backend demo``.

    ``python`` alone is said only where the shell finds this very interpreter under that name: with a virtual
    environment that is not activated it would be one without our packages.
    """
    return f"{_interpreter(Path(sys.executable), found=shutil.which('python'))} -m maverik_backend {arguments}".rstrip()


def _interpreter(own: Path, *, found: str | None) -> str:
    # Not what the links lead to: that of an environment leads to the system's interpreter, which is another.
    if found is not None and Path(found).parent == own.parent:
        return "python"
    here = Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))
