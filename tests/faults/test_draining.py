"""After a SIGTERM with SHUTDOWN_DRAIN_S: not ready at once, serving for a while, and gone in the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.processes import ServerProcess

DRAIN_S = 3.0
LONG_DRAIN_S = 120.0
PATIENCE_S = 10.0


def readiness(server: ServerProcess) -> int:
    return requests.get(f"{server.url}/health/ready", timeout=5).status_code


def wait_until_unready(server: ServerProcess) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while readiness(server) != 503:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def patient(own_folder: Path) -> Iterator[ServerProcess]:
    """A server that would drain for longer than anybody waits."""
    with ServerProcess(own_folder, SHUTDOWN_DRAIN_S=str(LONG_DRAIN_S)) as server:
        yield server


def test_it_is_not_ready_at_once_and_still_answers_for_a_while(own_folder: Path) -> None:
    with ServerProcess(own_folder, SHUTDOWN_DRAIN_S=str(DRAIN_S)) as server:
        assert readiness(server) == 200
        server.ask_to_stop()
        began = time.monotonic()
        wait_until_unready(server)
        unready_after_s = time.monotonic() - began

        assert requests.get(f"{server.url}/catalogs", timeout=5).status_code == 200
        assert server.wait() == 0
        took_s = time.monotonic() - began

    assert unready_after_s < DRAIN_S
    assert took_s >= DRAIN_S


def test_a_second_signal_ends_it_sooner(patient: ServerProcess) -> None:
    patient.ask_to_stop()
    wait_until_unready(patient)

    assert patient.stop() == 0


def test_several_processes_drain_together_and_hear_a_second_signal(own_folder: Path) -> None:
    variables = {"SHUTDOWN_DRAIN_S": str(LONG_DRAIN_S), "RATE_LIMIT_STORAGE": "postgres"}
    with ServerProcess(own_folder, "--workers", "2", **variables) as server:
        server.wait_for_output('"started"', times=2)
        server.ask_to_stop()
        server.wait_for_output('"stopping"', times=2)

        assert requests.get(f"{server.url}/catalogs", timeout=5).status_code == 200
        assert server.stop() == 0
