"""The embedded PostgreSQL opens nothing to other users of the machine, also when root starts it."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
from sqlalchemy import URL, create_engine, text

from maverik_backend.core import embedded_postgres
from tests.support.paths import ROOT
from tests.support.processes import clean_environment, run_maverik

NOBODY = 65534
PROTOCOL_3 = 196_608
NOT_AUTHORIZED = b"28000"
TRUST = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user's eyes can only be borrowed by root")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that only its owner may enter, as /root is."""
    with TemporaryDirectory(prefix="maverik-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def data_dir(home: Path) -> Path:
    """Where the server is to keep its data, two closed folders down; not made yet."""
    (home / "clone").mkdir(mode=0o700)
    return home / "clone" / ".maverik" / "postgres"


@pytest.fixture(scope="module")
def modes_before(data_dir: Path) -> dict[Path, int]:
    return modes(data_dir)


@pytest.fixture(scope="module")
def url(data_dir: Path, modes_before: dict[Path, int]) -> Iterator[URL]:
    """A server of that folder, running."""
    assert modes_before
    yield embedded_postgres.ensure_running(data_dir, database_name="maverik")
    embedded_postgres.stop(data_dir)


def modes(path: Path) -> dict[Path, int]:
    """Those of every folder above ``path``."""
    return {parent: stat.S_IMODE(parent.stat().st_mode) for parent in path.parents if parent.exists()}


@contextmanager
def another_user() -> Iterator[None]:
    """What happens inside is done by ``nobody``, as far as the kernel is concerned."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def ask_for_a_session(socket_path: str) -> bytes:
    """PostgreSQL's first answer to somebody who says to be its administrator."""
    body = b"user\0postgres\0database\0postgres\0\0"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(socket_path)
        client.sendall(struct.pack("!ii", len(body) + 8, PROTOCOL_3) + body)
        return client.recv(4096)


def query(url: URL, statement: str) -> list[Any]:
    engine = create_engine(url)
    with engine.begin() as connection:
        found = list(connection.execute(text(statement)).scalars())
    engine.dispose()
    return found


def ways_in(url: URL) -> list[Any]:
    return query(url, "SELECT DISTINCT type || ' ' || auth_method FROM pg_hba_file_rules")


class TestOtherUsers:
    def test_no_folder_above_the_data_is_opened(self, data_dir: Path, modes_before: dict[Path, int], url: URL) -> None:
        assert url
        found = modes(data_dir)

        assert {path: found[path] for path in modes_before} == modes_before
        assert found[data_dir.parent] == 0o700
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700

    @as_root
    def test_they_can_neither_look_in_nor_connect(self, home: Path, url: URL) -> None:
        with another_user():
            with pytest.raises(PermissionError):
                next(home.iterdir())
            with pytest.raises(PermissionError):
                ask_for_a_session(str(url.query["unix_sock"]))

    @as_root
    def test_they_are_refused_by_the_server_even_where_the_folders_are_open(self, data_dir: Path, url: URL) -> None:
        opened = [data_dir, *list(data_dir.parents)[:3]]
        try:
            for folder in opened:
                folder.chmod(0o755)
            with another_user():
                answer = ask_for_a_session(str(url.query["unix_sock"]))
        finally:
            for folder in opened:
                folder.chmod(0o700)

        assert answer[:1] == b"E"
        assert NOT_AUTHORIZED in answer

    def test_only_peers_on_the_socket_get_in(self, url: URL) -> None:
        assert ways_in(url) == ["local peer"]
        assert query(url, "SHOW listen_addresses") == [""]

    def test_the_server_is_not_handed_our_secrets(self, own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMTP_API_KEY", "secreto")
        data_dir = own_folder / "data"
        embedded_postgres.ensure_running(data_dir, database_name="maverik")
        try:
            pid = int((data_dir / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            assert "secreto" not in psutil.Process(pid).environ().values()
        finally:
            embedded_postgres.stop(data_dir)


class TestWhatAnEarlierReleaseLeft:
    @staticmethod
    def trust_everybody(data_dir: Path) -> None:
        (data_dir / "pg_hba.conf").write_text(TRUST, encoding="utf-8")

    def test_a_folder_that_trusted_everybody_does_so_no_longer(self, own_folder: Path) -> None:
        data_dir = own_folder / "data" / "postgres"
        assert run_maverik("migrate", cwd=own_folder, LOCAL_DATA_DIR=str(own_folder / "data")).returncode == 0
        self.trust_everybody(data_dir)

        url = embedded_postgres.ensure_running(data_dir, database_name="maverik")
        try:
            assert ways_in(url) == ["local peer"]
            assert query(url.set(database="maverik"), "SELECT count(*) FROM usuario") == [0]
        finally:
            embedded_postgres.stop(data_dir)

    @as_root
    def test_a_server_that_still_runs_is_told_at_once(self, data_dir: Path, url: URL) -> None:
        self.trust_everybody(data_dir)
        query(url, "SELECT pg_reload_conf()")

        joined = run_maverik("migrate", cwd=data_dir.parents[1], LOCAL_DATA_DIR=str(data_dir.parent))

        assert (joined.returncode, joined.stderr) == (0, "")
        assert ways_in(url) == ["local peer"]


class TestRoot:
    @as_root
    def test_programs_that_its_account_cannot_reach_are_run_from_a_copy(self, own_folder: Path) -> None:
        """As in a clone in /root, where .venv lies too."""
        installed = Path(str(embedded_postgres.load_pgserver().__file__)).parent
        packages = own_folder / "packages"
        ignored = shutil.ignore_patterns("pginstall", "include")
        shutil.copytree(installed, packages / installed.name, ignore=ignored)
        shutil.copytree(installed.with_name(f"{installed.name}.libs"), packages / f"{installed.name}.libs")
        before = modes(packages / installed.name / "pginstall18" / "bin" / "postgres")

        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "maverik_backend", "migrate"],
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
            cwd=own_folder,
            env=clean_environment(PYTHONPATH=f"{packages}{os.pathsep}{ROOT}"),
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert modes(packages / installed.name / "pginstall18" / "bin" / "postgres") == before

    @as_root
    def test_data_of_another_user_stays_that_users(self, own_folder: Path) -> None:
        data_dir = own_folder / "data" / "postgres"
        data_dir.mkdir(parents=True)
        os.chown(data_dir, NOBODY, NOBODY)

        refused = run_maverik("migrate", cwd=own_folder, LOCAL_DATA_DIR=str(data_dir.parent))

        assert refused.returncode == 2
        assert refused.stderr == f"{data_dir} belongs to nobody: run Maverik as that user, or set LOCAL_DATA_DIR.\n"
        assert data_dir.stat().st_uid == NOBODY

    def test_a_link_where_the_lock_should_lie_is_not_followed(self, own_folder: Path) -> None:
        target, temporary = own_folder / "target", own_folder / "tmp"
        for folder in (target, temporary):
            folder.mkdir()
        target.chmod(0o755)
        (temporary / f"maverik-{os.getuid()}").symlink_to(target)

        refused = run_maverik("migrate", cwd=own_folder, TMPDIR=str(temporary))

        assert (refused.returncode, refused.stderr.count("belongs to another user")) == (2, 1)
        assert (stat.S_IMODE(target.stat().st_mode), list(target.iterdir())) == (0o755, [])


def test_a_server_that_cannot_start_says_why_in_one_sentence(own_folder: Path) -> None:
    data_dir = own_folder / "data" / "postgres"
    data_dir.mkdir(parents=True)
    (data_dir / "something").touch()

    refused = run_maverik("migrate", cwd=own_folder, LOCAL_DATA_DIR=str(own_folder / "data"))

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"The embedded PostgreSQL in {data_dir} cannot be used: initdb says ")
    assert len(refused.stderr.splitlines()) == 1
