"""Long answers, sent piece by piece as the client takes them."""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class JsonStream(StreamingResponse):
    """A JSON document from a generator of its pieces.

    The first piece is made right here, so whatever refuses the request does so while it can still be said with a
    status. What fails later closes the connection without the end of the body: clients see a broken answer, never a
    short one. Each piece is made in a worker thread once the one before has left, and the generator is closed when the
    answer ends in any way: what it holds is given back then, not when it is collected.
    """

    media_type = "application/json"

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        first = next(pieces, b"")
        self._pieces = pieces
        super().__init__(chain((first,), pieces))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._pieces.close()
