"""What everybody else feels: other requests while turns are stuck, and while many people sign in at once.

============  =========================================================================================================
Measurement   Definition
============  =========================================================================================================
stuck         500 turns wait for a RAG service that never answers; meanwhile `/health` and sign-ins at fixed moments
logins        :data:`CALLERS` callers that sign in without a pause, against as many threads that only verify the same
              key with the product's own parameters, in turns, medians compared; during one more round somebody reads
              their history 20 times a second
============  =========================================================================================================
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from maverik_backend.core.security import PasswordHasher
from tests.bench.figures import Figure, Result
from tests.bench.load import Line, Samples, closed_loop, held, make_call, open_loop
from tests.bench.stage import KEY, Person, Stage
from tests.support.processes import ServerProcess

STUCK = 500
STUCK_SETTINGS = {"MAX_CONCURRENT_TURNS": "600", "WORKER_THREADS": "700", "DB_POOL_SIZE": "20"}
ALL_STUCK_WITHIN_S = 60.0
HEALTH_PER_S = 50
LOGINS_PER_S = 15
PROBES = 200

CALLERS = 8
ROUNDS = 3
ROUND_S = 4.0
READS_PER_S = 20


def stuck(stage: Stage) -> Result:
    with stage.product(rag="hang", **STUCK_SETTINGS) as server:
        health, logins = asyncio.run(_among_stuck_turns(server, stage))
    return Result(
        figures=[
            Figure(title=f"/health p99, {STUCK} turns stuck", value=health.percentile_ms(99), unit="ms", at_most=250),
            Figure(title=f"login p99, {STUCK} turns stuck", value=logins.percentile_ms(99), unit="ms", at_most=250),
        ],
        details={
            "settings": STUCK_SETTINGS,
            "health": described(health),
            "login": described(logins),
        },
    )


async def _among_stuck_turns(server: ServerProcess, stage: Stage) -> tuple[Samples, Samples]:
    probes = stage.rounds(PROBES)
    async with held(server.port, [person.say() for person in stage.people[:STUCK]]):
        await _wait_for_stuck(stage.rag_port)
        health = itertools.repeat(make_call("GET", "/health"))
        return (
            await open_loop(server.port, health, per_s=HEALTH_PER_S, seconds=probes / HEALTH_PER_S),
            await open_loop(
                server.port, logins_of(stage, stage.people), per_s=LOGINS_PER_S, seconds=probes / LOGINS_PER_S
            ),
        )


async def _wait_for_stuck(rag_port: int) -> None:
    deadline = time.monotonic() + ALL_STUCK_WITHIN_S
    line = await Line.open(rag_port)
    while int((await line.call(make_call("GET", "/waiting")))[1]) < STUCK:
        assert time.monotonic() < deadline, "not every turn reached the RAG service"
        await asyncio.sleep(0.05)
    line.close()


def logins(stage: Stage) -> Result:
    argon2_per_s: list[float] = []
    logins_per_s: list[float] = []
    failures: dict[str, int] = {}
    seconds = stage.seconds(ROUND_S)
    with stage.product() as server:
        for _ in range(ROUNDS):
            argon2_per_s.append(_verifications_per_s(seconds))
            storm = asyncio.run(_storm(server, stage, seconds))
            logins_per_s.append(len(storm.good) / seconds)
            failures |= storm.failures
        reads = asyncio.run(_read_during_storm(server, stage, 2 * seconds))
    made, possible = statistics.median(logins_per_s), statistics.median(argon2_per_s)
    return Result(
        figures=[
            Figure(title="logins/s", value=made),
            Figure(title="of what Argon2 alone allows", value=made / possible),
            Figure(title="reading a history during a login storm, p99", value=reads.percentile_ms(99), unit="ms"),
        ],
        details={
            "callers": CALLERS,
            "logins_per_s": logins_per_s,
            "argon2_per_s": argon2_per_s,
            "failures": failures,
            "reads": described(reads),
        },
    )


def _verifications_per_s(seconds: float) -> float:
    hasher = PasswordHasher()
    hashed = hasher.hash(KEY)
    end = time.perf_counter() + seconds

    def verify(_caller: int) -> int:
        done = 0
        while time.perf_counter() < end:
            assert hasher.verify(hashed, KEY)
            done += 1
        return done

    with ThreadPoolExecutor(CALLERS) as pool:
        return sum(pool.map(verify, range(CALLERS))) / seconds


async def _storm(server: ServerProcess, stage: Stage, seconds: float) -> Samples:
    callers = [logins_of(stage, stage.people[number::CALLERS]) for number in range(CALLERS)]
    return await closed_loop(server.port, callers, seconds=seconds)


async def _read_during_storm(server: ServerProcess, stage: Stage, seconds: float) -> Samples:
    storm = asyncio.create_task(_storm(server, stage, seconds))
    reads = itertools.cycle([person.read_history() for person in stage.people[:100]])
    read = await open_loop(server.port, reads, per_s=READS_PER_S, seconds=seconds)
    await storm
    return read


def logins_of(stage: Stage, people: Sequence[Person]) -> Iterator[bytes]:
    """Signing in, each time from an address of its own."""
    return (person.log_in(stage.next_address()) for person in itertools.cycle(people))


def described(samples: Samples) -> dict[str, object]:
    return {
        "requests": len(samples.all),
        "p50_ms": samples.percentile_ms(50),
        "p99_ms": samples.percentile_ms(99),
        "failures": samples.failures,
    }
