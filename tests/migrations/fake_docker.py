"""``docker compose``, as far as docs/UPGRADING.md uses it, where there is no engine.

Two servers stand for the ``db`` of the old and of the new release, two folders for their volumes; the container that
looks at the volumes and those of our image are the programs that they would run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ["FAKE_DOCKER"])


def in_db(program: str, *arguments: str) -> int:
    """A program of the ``db`` that runs: the old one until it was taken down."""
    which = "OLD" if (STATE / "old-runs").exists() else "NEW"
    if which == "NEW" and not (STATE / "new" / "18" / "docker" / "PG_VERSION").exists():
        sys.exit("service db is not running")
    programs, _, port = os.environ[f"FAKE_DOCKER_{which}"].rpartition(":")
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": port}
    return subprocess.run([f"{programs}/{program}", *arguments], check=False, env=environment).returncode  # noqa: S603


def in_image(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "maverik_backend", *arguments], check=False).returncode  # noqa: S603


def up(*arguments: str) -> int:
    look = ["sh", str(ROOT / "deployments/database/refuse-beside-old.sh"), str(STATE / "old"), str(STATE / "new")]
    environment = {
        "PATH": os.environ["PATH"],
        "OLD_DATABASE_VOLUME": "maverik_backend_pgdata",
        "START_EMPTY": os.environ.get("START_EMPTY", "no"),
    }
    if status := subprocess.run(look, check=False, env=environment).returncode:  # noqa: S603
        return status
    cluster = STATE / "new" / "18" / "docker"
    cluster.mkdir(parents=True, exist_ok=True)
    (cluster / "PG_VERSION").write_text("18\n", encoding="utf-8")
    return 0 if arguments[-1] == "db" else in_image("migrate")


def main(compose: str, command: str, *arguments: str) -> int:
    words = [argument for argument in arguments if argument not in ("-T", "--rm", "--no-deps")]
    if compose != "compose" or "--volumes" in arguments:
        return 1
    if command == "down":
        (STATE / "old-runs").unlink()
    if command == "exec":
        return in_db(*words[1:])
    if command == "run":
        return in_image(*(["migrate"] if words == ["migrate"] else words[1:]))
    return up(*arguments) if command == "up" else 0


sys.exit(main(*sys.argv[1:]))
