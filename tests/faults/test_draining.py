"""After a SIGTERM with SHUTDOWN_DRAIN_S: not ready at once, serving for a while, and gone in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.processes import ServerProcess
from tests.support.waiting import PATIENCE_S, eventually

DRAIN_S = 2.0
LONG_DRAIN_S = 600.0


def status_of(server: ServerProcess, path: str) -> int:
    return requests.get(f"{server.url}{path}", timeout=PATIENCE_S).status_code


def wait_until_unready(server: ServerProcess) -> None:
    eventually(lambda: status_of(server, "/health/ready") == 503)


@pytest.fixture
def patient(own_folder: Path) -> Iterator[ServerProcess]:
    """A server that would drain for longer than anybody waits."""
    with ServerProcess(own_folder, SHUTDOWN_DRAIN_S=str(LONG_DRAIN_S)) as server:
        yield server


def test_it_is_not_ready_at_once_and_still_answers_until_a_second_signal_ends_it(patient: ServerProcess) -> None:
    assert status_of(patient, "/health/ready") == 200
    patient.ask_to_stop()
    wait_until_unready(patient)

    assert status_of(patient, "/catalogs") == 200
    assert patient.stop() == 0


def test_it_ends_by_itself_when_that_time_is_over(own_folder: Path) -> None:
    with ServerProcess(own_folder, SHUTDOWN_DRAIN_S=str(DRAIN_S)) as server:
        began = time.monotonic()
        server.ask_to_stop()
        assert server.wait() == 0

    assert time.monotonic() - began >= DRAIN_S


def test_several_processes_drain_together_and_hear_a_second_signal(own_folder: Path) -> None:
    variables = {"SHUTDOWN_DRAIN_S": str(LONG_DRAIN_S), "RATE_LIMIT_STORAGE": "postgres"}
    with ServerProcess(own_folder, "--workers", "2", **variables) as server:
        server.wait_for_output('"started"', times=2)
        server.ask_to_stop()
        server.wait_for_output('"stopping"', times=2)

        assert status_of(server, "/catalogs") == 200
        assert server.stop() == 0
