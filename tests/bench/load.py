"""The callers: asyncio streams with keep-alive, nothing else, so that they take little of the machine they measure.

A call is one HTTP/1.1 request as bytes, made ahead. Whatever is not answered with 200 counts as a failure, never as a
fast answer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

LOOPBACK = "127.0.0.1"
_OK = 200
# Servers close what says nothing for a while (uvicorn: 5 s); a call must not meet that moment.
_LONGEST_IDLE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call: when it began (for a fixed schedule: when it should have), when its answer was there, its status."""

    began: float
    ended: float
    status: int

    @property
    def took_ms(self) -> float:
        return (self.ended - self.began) * 1000


@dataclass(frozen=True, slots=True)
class Samples:
    """What a load did."""

    all: Sequence[Sample]

    @property
    def good(self) -> list[Sample]:
        return [sample for sample in self.all if sample.status == _OK]

    @property
    def failures(self) -> dict[str, int]:
        """How many answers were something else, by status."""
        return dict(Counter(str(sample.status) for sample in self.all if sample.status != _OK))

    def between(self, start: float, end: float) -> Self:
        """Those that ended in this part of the clock."""
        return type(self)([sample for sample in self.all if start <= sample.ended < end])

    def percentile_ms(self, percent: float) -> float:
        """The time that ``percent`` of the good calls did not exceed (nearest rank)."""
        times = sorted(sample.took_ms for sample in self.good)
        return times[min(len(times) - 1, int(len(times) * percent / 100))] if times else float("inf")


def make_call(
    method: str, path: str, *, token: str = "", body: Any = None, content: bytes = b"", headers: str = ""
) -> bytes:
    """A request with ``body`` as JSON, or ``content`` as it is; ``headers`` are further lines, each with its end."""
    content = content if body is None else json.dumps(body).encode()
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n{bearer}{headers}"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


class Line:
    """One kept connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection(LOOPBACK, port))

    async def call(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return int(head[9:12]), await self._reader.readexactly(int(length))

    async def timed(self, request: bytes, *, began: float | None = None) -> Sample:
        began = time.perf_counter() if began is None else began
        status, _ = await self.call(request)
        return Sample(began=began, ended=time.perf_counter(), status=status)

    def close(self) -> None:
        self._writer.close()


async def closed_loop(port: int, callers: Sequence[Iterable[bytes]], *, seconds: float, ramp_s: float = 0.0) -> Samples:
    """Each caller calls again as soon as it is answered, for ``seconds``; they begin evenly over ``ramp_s``."""
    end = time.perf_counter() + seconds
    samples: list[Sample] = []

    async def run(calls: Iterable[bytes], wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        line = await Line.open(port)
        for call in calls:
            if time.perf_counter() >= end:
                break
            samples.append(await line.timed(call))
        line.close()

    await asyncio.gather(*(run(calls, ramp_s * number / len(callers)) for number, calls in enumerate(callers)))
    return Samples(samples)


async def open_loop(port: int, calls: Iterator[bytes], *, per_s: float, seconds: float) -> Samples:
    """Call at fixed moments, whether or not earlier calls are answered; each counts from its moment."""
    idle: list[tuple[float, Line]] = []
    start = time.perf_counter()

    async def run(call: bytes, began: float) -> Sample:
        line = await _take(idle, port)
        sample = await line.timed(call, began=began)
        idle.append((sample.ended, line))
        return sample

    tasks = []
    for number, call in enumerate(itertools.islice(calls, round(per_s * seconds))):
        moment = start + number / per_s
        await asyncio.sleep(moment - time.perf_counter())
        tasks.append(asyncio.create_task(run(call, moment)))
    samples = await asyncio.gather(*tasks)
    for _, line in idle:
        line.close()
    return Samples(samples)


async def _take(idle: list[tuple[float, Line]], port: int) -> Line:
    """The connection that was used last; another one when that is too long ago."""
    if not idle:
        return await Line.open(port)
    last_used, line = idle.pop()
    if time.perf_counter() - last_used < _LONGEST_IDLE_S:
        return line
    line.close()
    return await _take(idle, port)


@asynccontextmanager
async def held(port: int, calls: Sequence[bytes]) -> AsyncIterator[None]:
    """While the block lasts, these calls are under way; their answers are not waited for."""

    async def hold(call: bytes) -> None:
        line = await Line.open(port)
        try:
            await line.call(call)
        finally:
            line.close()

    tasks = [asyncio.create_task(hold(call)) for call in calls]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
