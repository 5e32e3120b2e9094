"""How long a process takes to import the application, beyond the libraries that it is made of."""

from __future__ import annotations

import statistics
import subprocess
import sys

from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage
from tests.support.paths import ROOT
from tests.support.processes import clean_environment

TRIES = 7
FRAMEWORKS = ("fastapi", "pydantic", "pydantic_settings", "sqlalchemy.orm", "pg8000", "requests", "argon2", "uvicorn")
_TIMED = "import time; began = time.perf_counter(); import {}; print((time.perf_counter() - began) * 1000)"


def imports(_stage: Stage) -> Result:
    """Each in a fresh process, in turns, after a first one that compiles."""
    wanted = {"application": "maverik_backend.api", "frameworks": ", ".join(FRAMEWORKS)}
    took: dict[str, list[float]] = {name: [] for name in wanted}
    for number in range(TRIES + 1):
        for name, modules in wanted.items():
            took_ms = _import_ms(modules)
            if number:
                took[name].append(took_ms)
    medians = {name: statistics.median(times) for name, times in took.items()}
    beyond = medians["application"] - medians["frameworks"]
    return Result(
        figures=[Figure(title="importing the API, over bare frameworks", value=beyond, unit="ms", at_most=250)],
        details={"frameworks": FRAMEWORKS, "median_ms": medians},
    )


def _import_ms(modules: str) -> float:
    found = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _TIMED.format(modules)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(PYTHONPATH=str(ROOT)),
    )
    return float(found.stdout)
