"""`make bench`: measure everything, print one table, write every number down.

    python -m tests.bench [--only NAME] [--quick] [--json PATH]

Real processes on one machine: the product (`maverik serve`), PostgreSQL, a RAG service, the callers. They share its
cores, so nothing else should run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import (
    cleaning,
    connections,
    crowd,
    enumeration,
    export,
    figures,
    gate,
    progress,
    providers,
    releases,
    retrieval,
    streams,
    turns,
    worst,
)
from tests.bench.figures import Result
from tests.bench.imports import imports
from tests.bench.stage import Stage, rag_service
from tests.support.postgres import TcpPostgres

MEASUREMENTS: dict[str, Callable[[Stage], Result]] = {
    "throughput": turns.throughput,
    "turn-cost": releases.turn_cost,
    "waiting": turns.waiting,
    "latency": turns.latency,
    "progress": progress.progress,
    "history": turns.history,
    "streams": streams.streams,
    "providers": providers.providers,
    "stuck": crowd.stuck,
    "logins": crowd.logins,
    "export": export.export,
    "connections": connections.connections,
    "imports": imports,
    "cleaning": cleaning.cleaning,
    "gate": gate.gate,
    "retrieval": retrieval.retrieval,
    "enumeration": enumeration.enumeration,
    "worst-requests": worst.worst_requests,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure just this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a look instead of a measurement")
    parser.add_argument("--json", type=Path, default=Path(".maverik/bench.json"), help="where the numbers go")
    arguments = parser.parse_args()
    with (
        TemporaryDirectory(prefix="maverik-bench-") as folder,
        TemporaryDirectory(prefix="maverik-bench-") as database_folder,
        TcpPostgres(Path(database_folder), is_durable=True) as postgres,
        rag_service() as rag_port,
    ):
        stage = Stage(Path(folder), postgres, rag_port=rag_port, is_quick=arguments.quick)
        results = measure(stage, arguments.only or list(MEASUREMENTS))
        figures.write(arguments.json, results, postgres=stage.postgres_version)
        stage.close()
    shown = [figure for result in results.values() for figure in result.figures]
    sys.stdout.write(f"{figures.table(shown)}\n\nEvery number: {arguments.json}\n")


def measure(stage: Stage, names: Sequence[str]) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for name in names:
        began = time.monotonic()
        results[name] = MEASUREMENTS[name](stage)
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    return results


if __name__ == "__main__":
    main()
