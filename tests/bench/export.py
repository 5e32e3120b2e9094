"""What a large export costs the process that makes it, and everybody else meanwhile.

============  =========================================================================================================
Measurement   Definition
============  =========================================================================================================
export        one person's :data:`TURNS` turns, :data:`CHARS` characters said and as many answered in each, are exported
              as fast as they are taken, and again by a reader that takes :data:`SLOW_BYTES_PER_S`; meanwhile somebody
              else reads their profile :data:`READS_PER_S` times a second. Memory is the most that the process has had,
              less what it had before
============  =========================================================================================================
"""

from __future__ import annotations

import asyncio
import itertools
import time

from tests.bench.figures import Figure, Result
from tests.bench.load import LOOPBACK, Samples, make_call, open_loop
from tests.bench.stage import Person, Stage
from tests.support.processes import ServerProcess

TURNS = 5_000
CHARS = 8_000
READS_PER_S = 20
WARM_UP_S = 3.0
MEASURE_S = 20.0
SLOW_BYTES_PER_S = 64 * 1024
_PIECE = 64 * 1024


def export(stage: Stage) -> Result:
    reader, other = stage.people[0], stage.people[1]
    stage.set_history(reader, turns=TURNS, chars=CHARS)
    with stage.product() as server:
        asyncio.run(_read_profile(server, other, seconds=WARM_UP_S))
        before_mib = server.memory_mib("VmRSS")
        reads, taken, took_s = asyncio.run(_measure(server, reader, other, stage.seconds(MEASURE_S)))
        more_mib = server.memory_mib("VmHWM") - before_mib
    return Result(
        figures=[
            Figure(title=f"more memory, {TURNS:,} turns exported", value=more_mib, unit="MiB", at_most=60),
            Figure(title="a profile's p99 meanwhile", value=reads.percentile_ms(99), unit="ms", at_most=250),
            Figure(title="export, MB/s", value=taken / 1e6 / took_s),
        ],
        details={"bytes": taken, "seconds": took_s, "reads": len(reads.all), "failures": reads.failures},
    )


async def _measure(server: ServerProcess, reader: Person, other: Person, seconds: float) -> tuple[Samples, int, float]:
    """How others fared for ``seconds``; bytes and seconds of the fast export."""

    async def exports() -> tuple[int, float]:
        began = time.perf_counter()
        taken = await _export(server, reader)
        took_s = time.perf_counter() - began
        await _export(server, reader, bytes_per_s=SLOW_BYTES_PER_S, seconds=seconds - took_s)
        return taken, took_s

    reads, (taken, took_s) = await asyncio.gather(_read_profile(server, other, seconds=seconds), exports())
    return reads, taken, took_s


async def _read_profile(server: ServerProcess, person: Person, *, seconds: float) -> Samples:
    call = make_call("GET", "/user/me", token=person.token)
    return await open_loop(server.port, itertools.repeat(call), per_s=READS_PER_S, seconds=seconds)


async def _export(
    server: ServerProcess, person: Person, *, bytes_per_s: float | None = None, seconds: float = float("inf")
) -> int:
    """Take the export, at most for ``seconds``; how many bytes came."""
    lines, writer = await asyncio.open_connection(LOOPBACK, server.port)
    writer.write(make_call("GET", "/user/me/export", token=person.token, headers="Connection: close\r\n"))
    assert (await lines.readline()).split()[1] == b"200"
    end, taken = time.perf_counter() + seconds, 0
    while time.perf_counter() < end and (piece := await lines.read(_PIECE)):
        taken += len(piece)
        if bytes_per_s:
            await asyncio.sleep(len(piece) / bytes_per_s)
    writer.close()
    return taken
