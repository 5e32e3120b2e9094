"""What a turn costs beside the release before, on one machine at one time.

============  =========================================================================================================
Measurement   Definition
============  =========================================================================================================
turn-cost     processor seconds of one process a turn, RAG service at once, :data:`~tests.bench.turns.CALLERS` callers
              that never pause: this tree and the release :data:`BEFORE` in turns, on one database; the medians of the
              rounds compared. Seconds of processor, so that a busy machine changes the ratio little
============  =========================================================================================================
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage
from tests.bench.turns import cpu_s, full_speed
from tests.support.paths import ROOT
from tests.support.processes import ServerProcess

BEFORE = "a315c06"
"""The last commit of 0.1.0."""
ROUNDS = 6


def turn_cost(stage: Stage) -> Result:
    with TemporaryDirectory(prefix="maverik-bench-") as folder:
        unpack(BEFORE, Path(folder))
        with stage.product() as now, stage.product(PYTHONPATH=folder) as before:
            servers = {"now": now, "before": before}
            for server in servers.values():  # connections, threads, caches
                full_speed(server, stage)
            costs: dict[str, list[float]] = {name: [] for name in servers}
            for _, (name, server) in itertools.product(range(stage.rounds(ROUNDS)), servers.items()):
                costs[name].append(_cpu_ms_per_turn(server, stage))
    medians = {name: statistics.median(found) for name, found in costs.items()}
    return Result(
        figures=[
            Figure(title="processor time of a turn", value=medians["now"], unit="ms"),
            Figure(title=f"of that of {BEFORE}", value=medians["now"] / medians["before"], at_most=0.70),
        ],
        details={"cpu_ms_per_turn": costs},
    )


def unpack(commit: str, folder: Path) -> None:
    """The tree of ``commit``, as an installation that ``PYTHONPATH`` can name."""
    git = shutil.which("git") or "git"
    archive = subprocess.run([git, "archive", commit], cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - ours
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tree:
        tree.extractall(folder, filter="data")


def _cpu_ms_per_turn(server: ServerProcess, stage: Stage) -> float:
    used_s = cpu_s(server)
    turns = len(full_speed(server, stage).good)
    return (cpu_s(server) - used_s) * 1000 / turns
