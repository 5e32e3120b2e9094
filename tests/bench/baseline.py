"""The least that a turn can be, by hand: what the product is compared with.

The token is checked as the product checks it; one query reads session and profile, one the last turns; the service is
asked; one statement writes the turn. No ORM, no validation, no logs, no retries, nothing on record before the service
answered, nothing said to whoever sends nonsense. Runs under the same uvicorn as the product, in one process:
``uvicorn tests.bench.baseline:app``, with the product's own environment variables.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from maverik_backend.core.security import Keyring
from maverik_backend.core.tokens import Tokens

SESSION_AND_PROFILE = """
    SELECT s.proposito_sesion_id, s.objetivo_id, s.capital_inicial, s.horizonte_temporal, s.tolerancia_al_riesgo_id,
           u.fecha_nacimiento, u.nivel_educativo_id, u.conocimiento_alt_inversion_id, u.experiencia_invirtiendo_id,
           u.porcentaje_ahorro_mensual_id, u.tiempo_mantener_inversion_id, u.proporcion_inversion_mantener_id
    FROM sesion_asesoria s JOIN usuario u ON u.id = s.usuario_id
    WHERE s.id = $1 AND u.id = $2
"""
LAST_TURNS = """
    SELECT texto_usuario, texto_sistema FROM sesion_asesoria_detalle
    WHERE sesion_asesoria_id = $1 ORDER BY id DESC LIMIT 20
"""
INSERT_TURN = """
    INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado)
    VALUES ($1, $2, $3, 'completada') RETURNING id
"""
RAG_URL = os.environ.get("RAG_SERVICE_URL", "") + "/api/chat"


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    ttl = timedelta(days=1)
    app.state.tokens = Tokens(Keyring(os.environ["SECRET_KEY"].split(",")), access_ttl=ttl, refresh_ttl=ttl)
    async with (
        asyncpg.create_pool(
            host=os.environ["DB_HOST"],
            port=int(os.environ["DB_PORT"]),
            database=os.environ["DB_NAME"],
            user=os.environ["DB_USERNAME"],
            password=os.environ["DB_PASSWORD"],
            ssl=False,
        ) as app.state.database,
        aiohttp.ClientSession() as app.state.http,
    ):
        yield


async def create_turn(request: Request) -> Response:
    state, session_id = request.app.state, int(request.path_params["session_id"])
    claims = state.tokens.read_access(request.headers["Authorization"].removeprefix("Bearer "))
    said = json.loads(await request.body())["input"]
    async with state.database.acquire() as database:
        facts = await database.fetchrow(SESSION_AND_PROFILE, session_id, claims.user_id)
        if facts is None:
            return Response(status_code=404)
        turns = await database.fetch(LAST_TURNS, session_id)
    profile = "\n".join(f"{name}: {value}" for name, value in facts.items())
    question = {"userProfile": profile, "chatHistory": [list(turn) for turn in reversed(turns)], "input": said}
    async with state.http.post(RAG_URL, json=question) as answer:
        text = (await answer.json())["response"]
    turn_id = await state.database.fetchval(INSERT_TURN, session_id, said, text)
    return JSONResponse({"id": turn_id, "sesion_asesoria_id": session_id, "input": said, "output": text})


async def get_health(_request: Request) -> Response:
    return Response()


app = Starlette(
    routes=[Route("/copilot/sessions/{session_id}", create_turn, methods=["POST"]), Route("/health", get_health)],
    lifespan=_lifespan,
)
