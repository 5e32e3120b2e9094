"""Which web pages may call (Fetch, section 3.2), and how often one address may ask that."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from maverik_backend.web.middleware.address_limit import AddressLimit

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"),
    *("traceparent", "tracestate"),
)
ANSWER_HEADERS = ("ETag", "Idempotency-Replayed", "Link", "Retry-After", "X-Request-ID")


class Cors(CORSMiddleware):
    """Starlette's middleware, which answers preflights itself: those that ``limit`` counts may be refused before.

    A refusal has the CORS headers of any other answer: without them a browser reports a page that may not call.
    """

    def __init__(self, app: ASGIApp, *, limit: AddressLimit, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
        )
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._limit.refusal(scope)
        if refusal is None:
            await super().__call__(scope, receive, send)
        else:
            await refusal(scope, receive, partial(self.send, send=send, request_headers=Headers(scope=scope)))
