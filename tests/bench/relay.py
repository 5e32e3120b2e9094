"""The least that a stream can be, by hand: what the product's streams are compared with.

``uvicorn tests.bench.relay:app``, under the same server as the product: Starlette and aiohttp in one event loop, no
database, no limits, nothing on record. It reads the provider's events and writes the product's: each piece is decoded,
and encoded as the AI SDK wants it.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

URL = os.environ.get("OPENAI_BASE_URL", "") + "/chat/completions"


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.state.http:
        yield


async def create_turn(request: Request) -> Response:
    said = json.loads(await request.body())["input"]
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": said}], "stream": True}
    return StreamingResponse(_pieces(request.app.state.http, asked), media_type="text/event-stream")


async def _pieces(http: aiohttp.ClientSession, asked: dict[str, object]) -> AsyncIterator[bytes]:
    async with http.post(URL, json=asked) as answer:
        async for line in answer.content:
            if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                continue
            for choice in json.loads(line[6:])["choices"]:
                if text := choice["delta"].get("content"):
                    part = {"type": "text-delta", "id": "text-1", "delta": text}
                    yield b"data: " + json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


async def get_health(_request: Request) -> Response:
    return Response()


app = Starlette(
    routes=[Route("/copilot/sessions/{session_id}", create_turn, methods=["POST"]), Route("/health", get_health)],
    lifespan=_lifespan,
)
