"""Long answers, sent piece by piece as the client takes them."""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from maverik_backend.core.logging import AlreadyLoggedError
from maverik_backend.errors import MaverikError

_log = structlog.get_logger(__name__)


class JsonStream(StreamingResponse):
    """A JSON document from a generator of its pieces.

    The first piece is made right here, so whatever refuses the request does so while it can still be said with a
    status. What fails later closes the connection without the end of the body: clients see a broken answer, never a
    short one. Each piece is made in a worker thread once the one before has left, and the generator is closed when the
    answer ends in any way: what it holds is given back then, not when it is collected.

    An expected error on the way (a login that was closed meanwhile) is one line in the log, without a traceback.
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

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except MaverikError as error:
            _log.warning("answer_cut_off", kind=type(error).__name__, detail=str(error))
            # No kind that the application answers: the server below has to see that the answer is not complete.
            raise AlreadyLoggedError from None
