"""What docs/decisions say of libraries is so in the locked versions; when one fails, look at its record again."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient
from uvicorn.supervisors import Multiprocess

LIMIT = 32
LARGE = b'{"a": "' + b"x" * 2 * LIMIT + b'"}'
PROBLEM = "application/problem+json"


class TestUvicornsWorkers:
    """docs/decisions/0004-worker-processes.md"""

    def test_cannot_be_handed_a_server(self) -> None:
        assert list(inspect.signature(Multiprocess).parameters) == ["config", "sockets"]

    def test_have_no_hook_for_one_that_died(self) -> None:
        assert [name for name in dir(Multiprocess) if "death" in name or name.startswith("on_")] == []


@pytest.fixture
def api() -> TestClient:
    """FastAPI's own limit, and a handler that says 413 as a problem."""
    app = FastAPI()

    @app.exception_handler(HTTPException)
    def tell(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({}, status_code=error.status_code, media_type=PROBLEM)

    @app.post("/", max_body_size=LIMIT)
    def take(body: Annotated[Any, Body()]) -> Any:
        return body

    return TestClient(app)


class TestFastapisLimitOfBodies:
    """docs/decisions/0008-bodies-are-bounded-by-our-own-middleware.md"""

    def test_answers_a_declared_length_in_words_of_its_own(self, api: TestClient) -> None:
        response = api.post("/", content=LARGE)

        assert (response.status_code, response.text) == (413, "Content Too Large")
        assert response.headers["content-type"].startswith("text/plain")

    def test_answers_chunks_in_ours(self, api: TestClient) -> None:
        def chunks() -> Iterator[bytes]:
            yield LARGE

        response = api.post("/", content=chunks())

        assert (response.status_code, response.headers["content-type"]) == (413, PROBLEM)

    def test_of_a_route_is_not_asked_where_there_is_none(self, api: TestClient) -> None:
        assert api.post("/nada", content=LARGE).status_code == 404

    def test_knows_no_time(self) -> None:
        parameters = inspect.signature(FastAPI).parameters

        assert "max_body_size" in parameters
        assert [name for name in parameters if "timeout" in name] == []
