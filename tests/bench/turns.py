"""What a turn costs, and how many there can be.

============  =========================================================================================================
Measurement   Definition
============  =========================================================================================================
throughput    turns/s of one process whose RAG service answers at once, :data:`CALLERS` callers that never pause;
              product and baseline in turns, the medians of the rounds compared
waiting       the RAG service takes 2 s: each client sends its next turn when it has the answer; they begin evenly over
              2 s, one more round warms up, then the answers of 8 s count. Ideal is clients / 2 s
latency       50 turns/s at fixed moments, the RAG service takes 100 ms: what is beyond its own median when it is asked
              directly, counted from the moment the turn should have left
history       one turn after the other, in turns in sessions that had 10, 1,000 and 10,000; after 15 of each, so that
              each carries the same 20 turns to the RAG service
============  =========================================================================================================
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, Result
from tests.bench.load import Line, Samples, closed_loop, make_call, open_loop
from tests.bench.stage import Person, Stage
from tests.support.processes import ServerProcess

CALLERS = 16
ROUNDS = 3
ROUND_S = 6.0
WARM_UP_S = 1.0

CLIENTS = (100, 500, 1_000)
RAG_S = 2.0
STEADY_S = 8.0
WAITING_SETTINGS = {"MAX_CONCURRENT_TURNS": "1100", "WORKER_THREADS": "1200", "DB_POOL_SIZE": "20"}

SCHEDULED_PER_S = 50
SCHEDULED_S = 15.0
RAG_MS = 100

HISTORIES = (10, 1_000, 10_000)
HISTORY_WARM_UP = 15
HISTORY_ROUNDS = 240


def throughput(stage: Stage) -> Result:
    rates: dict[str, list[float]] = {"product": [], "baseline": []}
    failures: dict[str, int] = {}
    cpu_ms: dict[str, float] = {}
    with stage.product() as product, stage.baseline() as baseline:
        servers = {"product": product, "baseline": baseline}
        for _, (name, server) in itertools.product(range(ROUNDS), servers.items()):
            used_s = cpu_s(server)
            samples = full_speed(server, stage)
            cpu_ms[name] = (cpu_s(server) - used_s) * 1000 / len(samples.all)
            failures |= samples.failures
            rates[name].append(_steady(samples, stage.seconds(ROUND_S)))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    return Result(
        figures=[
            Figure(title="turns/s, instant RAG, one process", value=medians["product"]),
            Figure(title="turns/s of the hand-written baseline", value=medians["baseline"]),
            Figure(title="of the baseline", value=medians["product"] / medians["baseline"], at_least=0.45),
        ],
        details={"callers": CALLERS, "turns_per_s": rates, "cpu_ms_per_turn": cpu_ms, "failures": failures},
    )


def full_speed(server: ServerProcess, stage: Stage) -> Samples:
    callers = [itertools.cycle([person.say()]) for person in stage.people[:CALLERS]]
    return asyncio.run(closed_loop(server.port, callers, seconds=stage.seconds(ROUND_S) + WARM_UP_S))


def _steady(samples: Samples, seconds: float) -> float:
    """Good answers per second of the last ``seconds`` in which everybody called."""
    end = max(sample.began for sample in samples.all)
    return len(samples.between(end - seconds, end).good) / seconds


def waiting(stage: Stage) -> Result:
    figures: list[Figure] = []
    details: dict[str, Any] = {"settings": WAITING_SETTINGS}
    with stage.product(rag=str(round(RAG_S * 1000)), **WAITING_SETTINGS) as server:
        for clients in CLIENTS:
            samples = asyncio.run(_steady_clients(server, stage, clients))
            share = len(samples.good) / stage.seconds(STEADY_S) / (clients / RAG_S)
            at_least = 0.90 if clients == 500 else None
            p50, p99 = samples.percentile_ms(50), samples.percentile_ms(99)
            title = f"2 s RAG, {clients:,} clients"
            figures += [
                Figure(title=f"{title}, share of ideal", value=share, at_least=at_least),
                Figure(title=f"{title}, p99", value=p99, unit="ms"),
            ]
            details[str(clients)] = {"share": share, "p50_ms": p50, "p99_ms": p99, "failures": samples.failures}
        peak_mib = server.memory_mib("VmHWM")
    figures.append(Figure(title=f"peak memory, {CLIENTS[-1]:,} turns at once", value=peak_mib, unit="MiB"))
    return Result(figures=figures, details={**details, "peak_memory_mib": peak_mib})


async def _steady_clients(server: ServerProcess, stage: Stage, clients: int) -> Samples:
    steady_s = stage.seconds(STEADY_S)
    callers = [itertools.repeat(person.say()) for person in stage.people[:clients]]
    start = asyncio.get_running_loop().time()
    samples = await closed_loop(server.port, callers, seconds=2 * RAG_S + steady_s, ramp_s=RAG_S)
    return samples.between(start + 2 * RAG_S, start + 2 * RAG_S + steady_s)


def latency(stage: Stage) -> Result:
    with stage.product(rag=str(RAG_MS)) as server:
        calls = [person.say() for person in stage.people[:200]]
        asyncio.run(_scheduled(server.port, calls, seconds=2.0))  # connections, threads, caches
        samples = asyncio.run(_scheduled(server.port, calls, seconds=stage.seconds(SCHEDULED_S)))
    asked = make_call("POST", f"/{RAG_MS}/api/chat", body={})
    itself = asyncio.run(_scheduled(stage.rag_port, [asked], seconds=stage.seconds(4.0)))
    rag_ms = itself.percentile_ms(50)
    added = {percent: samples.percentile_ms(percent) - rag_ms for percent in (50, 90, 99)}
    return Result(
        figures=[
            Figure(title="added latency at 50 turns/s, p50", value=added[50], unit="ms", at_most=8),
            Figure(title="added latency at 50 turns/s, p99", value=added[99], unit="ms", at_most=40),
        ],
        details={
            "added_ms": {f"p{percent}": value for percent, value in added.items()},
            "turns": len(samples.good),
            "failures": samples.failures,
            "rag_itself_ms": {f"p{percent}": itself.percentile_ms(percent) for percent in (50, 99)},
        },
    )


async def _scheduled(port: int, calls: Sequence[bytes], *, seconds: float) -> Samples:
    return await open_loop(port, itertools.cycle(calls), per_s=SCHEDULED_PER_S, seconds=seconds)


def history(stage: Stage) -> Result:
    people = stage.people[-len(HISTORIES) :]
    for person, turns in zip(people, HISTORIES, strict=True):
        stage.set_history(person, turns=turns)
    stage.tidy()
    with stage.product() as server:
        took = asyncio.run(_one_by_one(server.port, people, rounds=stage.rounds(HISTORY_ROUNDS)))
    medians = {str(turns): statistics.median(times) for turns, times in zip(HISTORIES, took, strict=True)}
    return Result(
        figures=[
            *(
                Figure(title=f"a turn after {turns:,}", value=medians[str(turns)], unit="ms")
                for turns in (HISTORIES[0], HISTORIES[-1])
            ),
            Figure(title="10,000 turns of history over 10", value=medians["10000"] / medians["10"], at_most=1.15),
        ],
        details={"median_ms": medians, "rounds": stage.rounds(HISTORY_ROUNDS)},
    )


async def _one_by_one(port: int, people: Sequence[Person], *, rounds: int) -> list[list[float]]:
    line = await Line.open(port)
    took: list[list[float]] = [[] for _ in people]
    for number in range(HISTORY_WARM_UP + rounds):
        for person, times in zip(people, took, strict=True):
            sample = await line.timed(person.say())
            assert sample.status == 200
            if number >= HISTORY_WARM_UP:
                times.append(sample.took_ms)
    line.close()
    return took


def cpu_s(server: ServerProcess) -> float:
    """Processor time of the process so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
