"""Several processes behind one address count together, wherever the scrape lands."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest

from tests.faults.test_workers import starts, workers
from tests.support.processes import ServerProcess
from tests.support.scrape import value
from tests.support.waiting import eventually

TOKEN = "una-clave-de-metricas-8Qz"
CATALOGS = {"route": "/catalogs", "status": "200"}
TRIES = 200


@pytest.fixture
def server(own_folder: Path) -> Iterator[ServerProcess]:
    variables = {"RATE_LIMIT_STORAGE": "postgres", "METRICS_TOKEN": TOKEN, "DB_POOL_SIZE": "4"}
    with ServerProcess(own_folder, "--workers", "2", **variables) as server:
        eventually(lambda: starts(server) == 2)
        yield server


def get(server: ServerProcess, worker: psutil.Process, path: str) -> str:
    """What this one of the workers answers: connections are made until one is to it."""
    with ExitStack() as stack:
        for _ in range(TRIES):
            connection = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)))
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            if connection.sock.getsockname()[1] in peers(worker):
                connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
                response = connection.getresponse()
                assert response.status == 200
                return response.read().decode()
    raise AssertionError(f"none of {TRIES} connections is to {worker}")


def peers(worker: psutil.Process) -> set[int]:
    connected = (one for one in worker.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED)
    return {one.raddr.port for one in connected}


def pool_size(server: ServerProcess) -> float | None:
    return value(get(server, next(iter(workers(server))), "/metrics"), "maverik_database_pool_size")


def catalogs_read(server: ServerProcess, worker: psutil.Process) -> float | None:
    return value(get(server, worker, "/metrics"), "maverik_http_request_duration_seconds_count", **CATALOGS)


def test_what_both_counted_is_added_up_by_either(server: ServerProcess) -> None:
    one, other = workers(server)
    for worker, times in ((one, 2), (other, 3)):
        for _ in range(times):
            get(server, worker, "/catalogs")

    eventually(lambda: catalogs_read(server, one) == catalogs_read(server, other) == 5)  # counted once answered
    assert pool_size(server) == 2 * 4


def test_of_one_that_died_the_counts_stay_and_the_connections_go(server: ServerProcess) -> None:
    victim, survivor = workers(server)
    get(server, victim, "/catalogs")
    eventually(lambda: catalogs_read(server, victim) == 1)

    victim.kill()

    eventually(lambda: starts(server) == 3)
    assert catalogs_read(server, survivor) == 1
    assert pool_size(server) == 2 * 4


def test_nothing_of_it_is_left_when_they_end(own_folder: Path) -> None:
    variables = {"RATE_LIMIT_STORAGE": "postgres", "METRICS_TOKEN": TOKEN, "TMPDIR": str(own_folder)}
    with ServerProcess(own_folder, "--workers", "2", **variables) as server:
        eventually(lambda: starts(server) == 2)
        assert list(own_folder.glob("maverik-metrics-*"))

        assert server.stop() == 0

    assert not list(own_folder.glob("maverik-metrics-*"))
