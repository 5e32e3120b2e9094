"""Whether the clock tells which addresses have an account: medians of interleaved tries.

Real Argon2 parameters, a real database, one process. What the tests assert is the work
(statements and hashes, tests/api/test_enumeration.py); this is the time that it takes.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.core import embedded_postgres, migrations
from maverik_backend.core.logging import configure_logging
from maverik_backend.services import accounts
from maverik_backend.web.resources import resources_of
from tests.bench.figures import Figure, Result
from tests.bench.stage import Stage
from tests.support.fixtures.application import local_settings
from tests.support.fixtures.people import make_profile

TRIES = 50
KNOWN, DISABLED, UNKNOWN = "known@example.com", "disabled@example.com", "unknown@example.com"
_numbers = count(1)


def enumeration(stage: Stage) -> Result:
    medians: dict[str, dict[str, float]] = {}
    with TemporaryDirectory(prefix="maverik-bench-") as folder:
        settings = local_settings(Path(folder))
        unlimited = settings.security.model_copy(update={"rate_limits_enabled": False})
        settings = settings.model_copy(update={"security": unlimited})
        configure_logging(settings.app.model_copy(update={"log_level": "WARNING"}))
        migrations.upgrade(settings)
        app = create_app(settings)
        api = TestClient(app)  # without its lifespan: nobody delivers mails meanwhile
        for email in (KNOWN, DISABLED):
            api.post("/user/signup", json=make_profile(email=email))
        with resources_of(app).database.transaction() as session:
            accounts.set_disabled(session, email=DISABLED, disabled=True)
        for title, tries in cases(api).items():
            medians[title] = measure(tries, rounds=stage.rounds(TRIES))
        resources_of(app).database.dispose()
        embedded_postgres.stop(embedded_postgres.data_dir_of(settings))
    return Result(
        figures=[
            Figure(title=f"known and unknown addresses apart, {title}", value=apart(took), at_most=0.10)
            for title, took in medians.items()
        ],
        details={"median_ms": medians},
    )


def apart(medians: dict[str, float]) -> float:
    """How much the slowest takes beyond the fastest, as a share."""
    return max(medians.values()) / min(medians.values()) - 1


def cases(api: TestClient) -> dict[str, dict[str, Callable[[], object]]]:
    """What must be indistinguishable from each other."""

    def log_in(email: str) -> Callable[[], object]:
        return lambda: api.post("/user/login", json={"email": email, "clave": "otra clave"})

    def sign_up(email: str | None) -> Callable[[], object]:
        return lambda: api.post("/user/signup", json=make_profile(email=email or f"nueva{next(_numbers)}@example.com"))

    def forget(email: str) -> Callable[[], object]:
        return lambda: api.post("/user/password/forgot", json={"email": email})

    return {
        "login": {"unknown": log_in(UNKNOWN), "wrong key": log_in(KNOWN), "disabled": log_in(DISABLED)},
        "sign-up": {"new": sign_up(None), "existing": sign_up(KNOWN)},
        "forgot": {"unknown": forget(UNKNOWN), "known": forget(KNOWN), "disabled": forget(DISABLED)},
    }


def measure(tries: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Median milliseconds of each, tried in turns so that whatever the machine does meets all of them."""
    took: dict[str, list[float]] = {name: [] for name in tries}
    for _ in range(rounds):
        for name, attempt in random.sample(list(tries.items()), len(tries)):
            began = time.perf_counter()
            attempt()
            took[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(times) for name, times in took.items()}
