"""Processor time that a piece of a model's stream costs, read by our adapters and by the vendors' own clients.

:data:`STREAMS` streams at once, each piece in a packet of its own, in a process that does nothing else; ours wait in a
thread each while one loop reads them all, the vendors' clients are their asynchronous ones, in one loop. Starting up
and importing are outside.

``python -m tests.bench.providers VENDOR ours|sdk URL SECONDS`` prints the microseconds of a piece.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from maverik_backend.clients.llm.base import ModelRequest, UserMessage
from maverik_backend.core.deadline import Deadline
from tests.bench.figures import Figure, Result
from tests.bench.load import LOOPBACK
from tests.bench.model_provider import ORDER
from tests.bench.stage import Stage
from tests.bench.streams import provider
from tests.support.paths import ROOT
from tests.support.processes import clean_environment
from tests.support.providers.vendor import KEY, MODEL
from tests.support.providers.vendors import VENDORS, model_at

STREAMS = 50
PIECES_PER_S = 20
SECONDS = 20.0
AT_MOST_US = 60
Pieces = AsyncIterator[object]


def providers(stage: Stage) -> Result:
    figures: list[Figure] = []
    details: dict[str, float] = {}
    with provider() as port:
        for name in VENDORS:
            ours, theirs = (_measured(name, reader, port, stage.seconds(SECONDS)) for reader in ("ours", "sdk"))
            details |= {f"{name}_us": ours, f"{name}_sdk_us": theirs}
            figures += [
                Figure(title=f"{name}: processor of a piece", value=ours, unit="us", at_most=AT_MOST_US),
                Figure(title=f"{name}: the same by the vendor's client", value=theirs, unit="us"),
            ]
    return Result(figures=figures, details={**details, "streams": STREAMS, "pieces_per_s": PIECES_PER_S})


def _measured(vendor: str, reader: str, port: int, seconds: float) -> float:
    url = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.providers", vendor, reader, url, str(seconds)]
    environment = clean_environment(PYTHONPATH=str(ROOT))
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)  # noqa: S603


def main() -> None:
    vendor, reader, url, seconds = sys.argv[1:]
    read = read_ours if reader == "ours" else read_by_sdk
    sys.stdout.write(f"{read(vendor, url, float(seconds))}\n")


def _order(seconds: float) -> str:
    return f"{ORDER}{round(seconds * PIECES_PER_S)}x{PIECES_PER_S}"


def read_ours(vendor: str, url: str, seconds: float) -> float:
    pieces: list[str] = []
    with model_at(VENDORS[vendor], url) as model, ThreadPoolExecutor(STREAMS) as threads:

        def read(said: str) -> None:
            request = ModelRequest(model=MODEL, messages=[UserMessage(said)])
            model.complete(request, on_text=pieces.append, deadline=Deadline.after(600))

        list(threads.map(read, [_order(1.0)] * STREAMS))
        pieces.clear()
        used_s = time.process_time()
        list(threads.map(read, [_order(seconds)] * STREAMS))
        return (time.process_time() - used_s) * 1e6 / len(pieces)


def read_by_sdk(vendor: str, url: str, seconds: float) -> float:
    return asyncio.run(_read_by_sdk(SDKS[vendor](url), seconds))


async def _read_by_sdk(stream: Callable[[str], Pieces], seconds: float) -> float:
    async def read(said: str) -> int:
        return sum([1 async for _ in stream(said)])

    await asyncio.gather(*(read(_order(1.0)) for _ in range(STREAMS)))
    used_s = time.process_time()
    counts = await asyncio.gather(*(read(_order(seconds)) for _ in range(STREAMS)))
    return (time.process_time() - used_s) * 1e6 / sum(counts)


def _openai(url: str) -> Callable[[str], Pieces]:
    import openai

    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY)

    async def stream(said: str) -> Pieces:
        asked: Any = [{"role": "user", "content": said}]
        async for part in await client.chat.completions.create(model=MODEL, messages=asked, stream=True):
            if part.choices and part.choices[0].delta.content:
                yield part

    return stream


def _anthropic(url: str) -> Callable[[str], Pieces]:
    import anthropic

    client = anthropic.AsyncAnthropic(base_url=url, api_key=KEY)

    async def stream(said: str) -> Pieces:
        asked: Any = [{"role": "user", "content": said}]
        async for part in await client.messages.create(model=MODEL, max_tokens=9, messages=asked, stream=True):
            if part.type == "content_block_delta":
                yield part

    return stream


def _gemini(url: str) -> Callable[[str], Pieces]:
    from google import genai

    client = genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=url))

    async def stream(said: str) -> Pieces:
        async for part in await client.aio.models.generate_content_stream(model=MODEL, contents=said):
            if part.text:
                yield part

    return stream


def _perplexity(url: str) -> Callable[[str], Pieces]:
    import openai

    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY)

    async def stream(said: str) -> Pieces:
        async for part in await client.responses.create(model=MODEL, input=said, stream=True):
            if part.type == "response.output_text.delta":
                yield part

    return stream


SDKS: dict[str, Callable[[str], Callable[[str], Pieces]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "perplexity": _perplexity,
}


if __name__ == "__main__":
    main()
