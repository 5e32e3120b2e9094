"""The embedded PostgreSQL keeps its data through restarts and crashes, and never outlives its last user."""

from __future__ import annotations

import contextlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import requests

from tests.support.processes import ServerProcess, run_maverik, run_python
from tests.support.signing_in import mailed_key

EMAIL = "ana@example.com"


def postmaster(folder: Path) -> psutil.Process:
    """The database process that the embedded PostgreSQL's own file names."""
    lines = (folder / "data" / "postgres" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    return psutil.Process(int(lines[0]))


def has_ended(process: psutil.Process) -> bool:
    """A process whose parent does not collect it (containers without an init) stays as a zombie: that is ended too."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def sign_up(server: ServerProcess, folder: Path) -> str:
    """A new account's temporary key."""
    _, key = mailed_key(server.url, folder / "data" / "mailbox", email=EMAIL)
    return key


def log_in(server: ServerProcess, key: str) -> int:
    return requests.post(f"{server.url}/user/login", json={"email": EMAIL, "clave": key}, timeout=60).status_code


def test_a_second_run_finds_what_the_first_left_and_tokens_still_hold(own_folder: Path) -> None:
    with ServerProcess(own_folder) as first:
        key = sign_up(first, own_folder)
        login = requests.post(f"{first.url}/user/login", json={"email": EMAIL, "clave": key}, timeout=60).json()
        database = postmaster(own_folder)
        assert first.stop() == 0
    assert has_ended(database)

    with ServerProcess(own_folder) as second:
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        assert requests.get(f"{second.url}/user/me", headers=headers, timeout=60).json()["email"] == EMAIL


def test_a_killed_server_leaves_a_database_that_the_next_run_takes_over(own_folder: Path) -> None:
    with ServerProcess(own_folder) as first:
        key = sign_up(first, own_folder)
        first.kill()

    with ServerProcess(own_folder) as second:
        assert log_in(second, key) == 200
        database = postmaster(own_folder)
        assert second.stop() == 0
    assert has_ended(database)


def test_a_power_cut_loses_nothing_that_was_acknowledged(own_folder: Path) -> None:
    with ServerProcess(own_folder) as first:
        key = sign_up(first, own_folder)
        database = postmaster(own_folder)
        everything = [database, *database.children(recursive=True)]
        first.kill()
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(everything, timeout=60)

    with ServerProcess(own_folder) as second:
        assert log_in(second, key) == 200
        assert second.stop() == 0


def test_a_stale_process_number_that_belongs_to_somebody_else_is_not_mistaken_for_the_database(
    own_folder: Path,
) -> None:
    with ServerProcess(own_folder) as first:
        key = sign_up(first, own_folder)
        pid_file = own_folder / "data" / "postgres" / "postmaster.pid"
        left_behind = pid_file.read_text(encoding="utf-8").splitlines()
        assert first.stop() == 0
    pid_file.write_text("\n".join([str(psutil.Process().pid), *left_behind[1:]]) + "\n", encoding="utf-8")

    with ServerProcess(own_folder) as second:
        assert log_in(second, key) == 200
        assert second.stop() == 0


def test_migrations_at_once_in_a_fresh_folder_wait_for_each_other(own_folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run_maverik, "migrate", cwd=own_folder) for _ in range(4)]

    assert [(run.result().returncode, run.result().stderr) for run in runs] == [(0, "")] * 4


def test_servers_started_at_once_in_a_fresh_folder_both_come_up(own_folder: Path) -> None:
    data = str(own_folder / "data")
    folders = [own_folder / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    first, second = (ServerProcess(folder, LOCAL_DATA_DIR=data) for folder in folders)
    with first, second:
        database = postmaster(own_folder)
        assert (first.stop(), second.stop()) == (0, 0)
    assert has_ended(database)


def test_a_folder_too_deep_for_a_socket_works_again_and_again_and_opens_nothing(own_folder: Path) -> None:
    temporary = own_folder / "tmp"
    temporary.mkdir()
    deep = own_folder / ("x" * 60) / ("y y" * 20)
    for _ in range(2):
        variables = {"LOCAL_DATA_DIR": str(deep), "TMPDIR": str(temporary)}
        result = run_python("-W", "error", "-m", "maverik_backend", "migrate", cwd=own_folder, **variables)
        assert (result.returncode, result.stderr) == (0, "")

    locked = temporary / f"maverik-{os.getuid()}"
    assert stat.S_IMODE(locked.stat().st_mode) == 0o700
    assert (locked / "python_PostgresServer" / ".lockfile").exists()
    assert [link.readlink() for link in locked.iterdir() if link.is_symlink()] == [deep / "postgres"]
    assert list(temporary.iterdir()) == [locked]
