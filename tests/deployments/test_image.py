"""The image does its job with nothing but what its Dockerfile puts into it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from tests.deployments.image import Stage, build, instructions, is_sent, run_in
from tests.support.fixtures.people import make_profile
from tests.support.paths import ROOT
from tests.support.postgres import PASSWORD, USER, TcpPostgres
from tests.support.processes import START_TIMEOUT_S, STOP_TIMEOUT_S, free_port
from tests.support.servers import RawServer, Reply, ScriptedServer

HEALTHCHECK = ROOT / "deployments" / "healthcheck.py"


@contextmanager
def container(image: Stage, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Where the image's own command answers, and its process."""
    port = free_port()
    # `env` looks `python` up in the image's own PATH, Popen would in ours.
    command = ["/usr/bin/env", *image.exec_form("ENTRYPOINT"), *image.exec_form("CMD")]
    environment = image.variables(PORT=str(port), HOST="127.0.0.1", **variables)
    with (image.root / "log").open("w+b") as log:
        process = subprocess.Popen(  # noqa: S603 - the image's own command
            command, cwd=image.folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + START_TIMEOUT_S
            while not _answers(url):
                assert process.poll() is None, Path(log.name).read_text(encoding="utf-8")
                assert time.monotonic() < deadline, Path(log.name).read_text(encoding="utf-8")
                time.sleep(0.05)
            yield url, process
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=10).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def image() -> Iterator[Stage]:
    with TemporaryDirectory(prefix="maverik-image-") as folder:
        yield build(Path(folder))


def test_it_migrates_serves_and_ends_with_nothing_else(image: Stage) -> None:
    built = set(image.folder.rglob("*"))
    with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as database:
        variables = {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(database.port),
            "DB_NAME": "postgres",
            "DB_USERNAME": USER,
            "DB_PASSWORD": PASSWORD,
            "RAG_SERVICE_URL": "http://rag.invalid",
            "PORTFOLIO_OPTIMIZATION_URL": "http://optimizer.invalid",
        }
        migrated = run_in(image, *image.exec_form("ENTRYPOINT"), "migrate", **variables)
        assert (migrated.returncode, migrated.stderr) == (0, "")

        with container(image, **variables) as (url, process):
            assert requests.post(f"{url}/user/signup", json=make_profile(), timeout=60).status_code == 201
            process.terminate()
            assert process.wait(timeout=STOP_TIMEOUT_S) == 0

    assert set(image.folder.rglob("*")) == built  # its file system may be read-only
    assert run_in(image, "python", "-m", "pip", "--version").returncode != 0
    assert {path.name for path in image.folder.iterdir()} == {
        "alembic",
        "alembic.ini",
        "deployments",
        "maverik_backend",
    }


def test_it_installs_only_what_the_lock_holds() -> None:
    (pip,) = [rest for name, rest in instructions() if name == "RUN" and " install " in rest and "pip" in rest]

    assert "--require-hashes" in pip


def test_its_last_stage_gets_libsodium_and_no_tools_to_build_with() -> None:
    packages = [rest for name, rest in instructions() if name == "RUN" and rest.startswith("apt-get")]

    assert [re.findall(r"--no-install-recommends (.*?) *&&", step) for step in packages] == [["libsodium23"]]


def test_its_base_is_one_patch_release() -> None:
    (base,) = [rest for name, rest in instructions() if name == "ARG" and rest.startswith("PYTHON_IMAGE=")]

    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+\.\d+-slim-[a-z]+", base)
    assert [rest for name, rest in instructions() if name == "FROM"] == [
        "${PYTHON_IMAGE} AS dependencies",
        "${PYTHON_IMAGE}",
    ]


def test_it_runs_under_a_user_id_of_its_own() -> None:
    last = dict(instructions())

    assert last["USER"] == "10001:10001"
    assert last["STOPSIGNAL"] == "SIGTERM"


@pytest.mark.parametrize("name", [".env", ".maverik", ".git", "tests", "deployments/development.env"])
def test_secrets_and_data_never_reach_a_build(name: str) -> None:
    assert not is_sent(ROOT / name)


class TestHealthcheck:
    @pytest.mark.parametrize(("answer", "status"), [(200, 0), (503, 1)])
    def test_it_says_what_the_server_says(self, answer: int, status: int) -> None:
        with ScriptedServer() as server:
            server.script(Reply(status=answer))

            assert check_health(server.url.rpartition(":")[2]) == status
            assert [request.path for request in server.requests] == ["/health/live"]

    def test_a_port_without_a_listener_is_not_alive(self) -> None:
        assert check_health(str(free_port())) == 1

    def test_nonsense_is_not_alive(self) -> None:
        with RawServer(lambda peer: peer.send(b"?\r\n\r\n")) as server:
            assert check_health(str(server.port)) == 1


def check_health(port: str) -> int:
    command = [sys.executable, str(HEALTHCHECK)]
    return subprocess.run(command, check=False, capture_output=True, timeout=30, env={"PORT": port}).returncode  # noqa: S603
