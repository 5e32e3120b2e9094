"""Headers that tell browsers what not to do with answers. All of them stand in the tables here.

From OWASP's REST Security Cheat Sheet (section "Security Headers") and its Secure Headers Project. They are on every
answer, refusals and failures included, so this is the outermost middleware.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Answers are data: nothing in them is to be loaded, run or framed.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    # Nearly every answer is about somebody; what may be kept says so itself.
    "Cache-Control": "no-store",
}
# Two years. Only there is https certain: elsewhere it would lock developers out of their own http.
PRODUCTION_HEADERS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}

_SWAGGER = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
# The one page there is: FastAPI's, with a script of its own in it. It shows nothing that anybody sent.
DOCS_PATH = "/docs"
DOCS_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'unsafe-inline' {_SWAGGER}; style-src 'unsafe-inline' {_SWAGGER}; "
        "img-src data: https://fastapi.tiangolo.com/img/favicon.png; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}


class SecurityHeaders:
    """Middleware: adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp, *, is_production: bool) -> None:
        self._app = app
        self._headers = {**HEADERS, **(PRODUCTION_HEADERS if is_production else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {**self._headers, **(DOCS_HEADERS if scope["path"] == DOCS_PATH else {})}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in headers.items():
                    answer.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
