"""What a streamed answer costs beside a hand-written relay of the same provider.

==================  =================================================================================================
Measurement         Definition
==================  =================================================================================================
processor           :data:`STREAMS` streams of :data:`PIECES_PER_S` pieces a second, the database on; product and relay
                    in turns, each over the same number of seconds in which all streams run: processor time of the
                    server by pieces that its clients read. What it takes to begin and to store a turn is outside
added delay         from the moment when a piece left the provider until the client has it, beyond what that takes when
                    the client reads the provider itself
first piece         from the request to the first piece, while :data:`FEW` streams begin one after the other within
                    :data:`RAMP_S`, beyond the relay's
memory              what the process grows by from :data:`FEW` streams to :data:`STREAMS`, a stream
resumed             threads that :data:`RESUMED` clients cost that resume a turn whose provider is silent
==================  =================================================================================================
"""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, cast

import uvloop

from tests.bench.figures import Figure, Result
from tests.bench.load import LOOPBACK, make_call
from tests.bench.model_provider import HANG, ORDER
from tests.bench.stage import Person, Stage
from tests.bench.turns import cpu_s
from tests.support.paths import ROOT
from tests.support.processes import ServerProcess, clean_environment

STREAMS, FEW, RESUMED = 200, 50, 500
PIECES_PER_S = 20
SETTLE_S = 1.5
STEADY_S = 24.0
ROUNDS = 4
PATIENCE_S = 60.0
_STAMP = re.compile(rb"m(\d{6,20}),")
_TAIL_BYTES = 32
_WHOLE_TURN = b'"data-turno"'
RAMP_S = 2.0


class Relay(ServerProcess):
    """The hand-written relay."""

    command: ClassVar[tuple[str, ...]] = ("-m", "uvicorn", "tests.bench.relay:app", "--log-level", "warning")


@dataclass(slots=True)
class Readings:
    """What one client reads: how many pieces, how late each was, and when the first one came."""

    began_ns: int = 0
    pieces: int = 0
    delays_ns: list[int] = field(default_factory=list)
    first_ms: float = 0.0


class Reading(asyncio.Protocol):
    """One request, and its stream read for as long as it is open."""

    def __init__(self, request: bytes, readings: Readings) -> None:
        self._request = request
        self._readings = readings
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._readings.began_ns = time.monotonic_ns()
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        now, readings = time.monotonic_ns(), self._readings
        data = self._tail + data.partition(_WHOLE_TURN)[0]
        end = 0
        for stamp in _STAMP.finditer(data):
            readings.delays_ns.append(now - int(stamp[1]))
            end = stamp.end()
        self._tail = data[max(end, len(data) - _TAIL_BYTES) :]
        if not readings.pieces and readings.delays_ns:
            readings.first_ms = (now - readings.began_ns) / 1e6
        readings.pieces = len(readings.delays_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round on one server: processor time and pieces of its steady part, and their delays."""

    cpu_s: float
    pieces: int
    delays_ms: list[float]
    memory_mib: float

    @property
    def cpu_us(self) -> float:
        return self.cpu_s * 1e6 / max(1, self.pieces)


def streams(stage: Stage) -> Result:
    steady_s = stage.seconds(STEADY_S)
    rounds: dict[str, list[Round]] = {"relay": [], "product": []}
    with provider() as port, _servers(stage, port) as servers:
        direct = uvloop.run(_direct(port, steady_s))
        first = {name: _first_pieces(server, stage) for name, server in servers.items()}
        few_mib = servers["product"].memory_mib("VmRSS")
        for _ in range(2 * stage.rounds(ROUNDS)):
            for name, server in servers.items():
                rounds[name].append(uvloop.run(_measure(server, stage.people[:STREAMS], steady_s)))
        memory_kib = (rounds["product"][0].memory_mib - few_mib) * 1024 / (STREAMS - FEW)
        threads = uvloop.run(_resumed_threads(servers["product"], stage.people[-1]))
    return _result(rounds, first_ms=first, direct=direct, memory_kib=memory_kib, threads=threads)


def _result(
    rounds: dict[str, list[Round]],
    *,
    first_ms: dict[str, list[float]],
    direct: list[float],
    memory_kib: float,
    threads: int,
) -> Result:
    cpu_us = {name: statistics.median(one.cpu_us for one in found) for name, found in rounds.items()}
    ratios = [ours.cpu_us / theirs.cpu_us for ours, theirs in zip(rounds["product"], rounds["relay"], strict=True)]
    delays = {name: [delay for one in found for delay in one.delays_ms] for name, found in rounds.items()}
    delays["direct"] = direct
    late = {name: {percent: _percentile(found, percent) for percent in (50, 99)} for name, found in delays.items()}
    added = {percent: late["product"][percent] - late["direct"][percent] for percent in (50, 99)}
    first = {name: statistics.median(found) for name, found in first_ms.items()}
    later_ms = first["product"] - first["relay"]
    return Result(
        figures=[
            Figure(title="processor of a streamed piece", value=cpu_us["product"], unit="us", at_most=200),
            Figure(title="processor of a piece, of the relay's", value=statistics.median(ratios), at_most=1.3),
            Figure(title=f"added delay at {STREAMS} streams, p50", value=added[50], unit="ms", at_most=5),
            Figure(title=f"added delay at {STREAMS} streams, p99", value=added[99], unit="ms", at_most=40),
            Figure(title=f"first piece of {FEW} streams, after the relay's", value=later_ms, unit="ms", at_most=15),
            Figure(title="memory of a stream", value=memory_kib, unit="KiB", at_most=120),
            Figure(title=f"threads of {RESUMED} resumed streams", value=threads, at_most=0),
        ],
        details={
            "cpu_us_per_piece": {name: [one.cpu_us for one in found] for name, found in rounds.items()},
            "ratios": ratios,
            "pieces": {name: [one.pieces for one in found] for name, found in rounds.items()},
            "delay_ms": {name: {f"p{percent}": value for percent, value in of.items()} for name, of in late.items()},
            "first_piece_ms": first,
        },
    )


@contextmanager
def provider() -> Iterator[int]:
    """The port of a provider of models in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.model_provider"],
        env=clean_environment(PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _servers(stage: Stage, port: int) -> Iterator[dict[str, ServerProcess]]:
    variables = {"OPENAI_BASE_URL": f"http://{LOOPBACK}:{port}/v1", "DEFAULT_AI_MODEL": "openai:gpt-4o"}
    with (
        Relay(stage.server_folder(), **variables) as relay,
        stage.product(ADVISORY_ASSISTANT="maverik", **variables) as product,
    ):
        yield {"relay": relay, "product": product}


def _lasting(seconds: float) -> str:
    """What is said to the provider for a stream of so long."""
    return f"{ORDER}{round(seconds * PIECES_PER_S)}x{PIECES_PER_S}"


async def _measure(server: ServerProcess, people: Sequence[Person], seconds: float) -> Round:
    """All streams begin, run, are measured for ``seconds``, and are read to their end."""
    readings = await _ramped(server.port, people, _lasting(RAMP_S + seconds + 3 * SETTLE_S))
    await _until(lambda: all(reading.pieces for reading in readings))
    await asyncio.sleep(SETTLE_S)
    used_s, before = cpu_s(server), [reading.pieces for reading in readings]
    await asyncio.sleep(seconds)
    cpu = cpu_s(server) - used_s
    memory_mib, after = server.memory_mib("VmRSS"), [reading.pieces for reading in readings]
    await _until_silent(readings)
    steady = [delay / 1e6 for one, b, a in zip(readings, before, after, strict=True) for delay in one.delays_ns[b:a]]
    return Round(cpu_s=cpu, pieces=sum(after) - sum(before), delays_ms=steady, memory_mib=memory_mib)


async def _ramped(port: int, people: Sequence[Person], said: str) -> list[Readings]:
    """A stream for each of them; they begin evenly."""
    readings = []
    for person in people:
        readings.append(await _open(port, person.say_streamed(said)))
        await asyncio.sleep(RAMP_S / len(people))
    return readings


async def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


async def _until_silent(readings: Sequence[Readings]) -> None:
    """Until no stream brings anything any more."""
    known = -1
    while (count := sum(reading.pieces for reading in readings)) != known:
        known = count
        await asyncio.sleep(0.5)


def _first_pieces(server: ServerProcess, stage: Stage) -> list[float]:
    """Milliseconds to the first piece of each stream; a round before warms up."""
    people = stage.people[STREAMS : STREAMS + FEW]
    for _ in range(2):
        first = uvloop.run(_begin(server.port, people))
    return first


async def _begin(port: int, people: Sequence[Person]) -> list[float]:
    readings = await _ramped(port, people, _lasting(RAMP_S))
    await _until(lambda: all(reading.pieces for reading in readings))
    await _until_silent(readings)
    return [reading.first_ms for reading in readings]


async def _direct(port: int, seconds: float) -> list[float]:
    """Delays in milliseconds when the client reads the provider itself."""
    asked = {"messages": [{"role": "user", "content": _lasting(seconds)}]}
    call = make_call("POST", "/v1/chat/completions", body=asked)
    readings = [await _open(port, call) for _ in range(STREAMS)]
    await _until_silent(readings)
    return [delay / 1e6 for reading in readings for delay in reading.delays_ns]


async def _resumed_threads(server: ServerProcess, person: Person) -> int:
    """By how many threads the process grows when clients resume a turn whose provider is silent."""
    begun = await _open(server.port, person.say_streamed(HANG))
    await _until(lambda: begun.pieces > 0)
    await _resume(server.port, person, 20)  # what serves requests at all has its threads then
    before = _threads(server)
    await _resume(server.port, person, RESUMED)
    return _threads(server) - before


async def _resume(port: int, person: Person, times: int) -> None:
    resumed = [await _open(port, person.resume()) for _ in range(times)]
    await _until(lambda: all(readings.pieces for readings in resumed))


async def _open(port: int, call: bytes) -> Readings:
    """A connection of its own, read until the loop ends."""
    readings = Readings()
    await asyncio.get_running_loop().create_connection(lambda: Reading(call, readings), LOOPBACK, port)
    return readings


def _threads(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.pid}/task").iterdir()))


def _percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
