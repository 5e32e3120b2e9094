"""Headers that tell browsers what not to do with answers. All of them stand in the tables here.

From OWASP's REST Security Cheat Sheet (section "Security Headers") and its Secure Headers Project. They are on every
answer, refusals and failures included, so this is the outermost middleware; refusals below HTTP have them from
``connections/protocol.py``, and answers of the bundled nginx from its configuration.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maverik_backend.core.mail_links import CHANGE_PATH, FORGOT_PATH, SET_PATH

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Answers are data: nothing in them is to be loaded, run or framed. `default-src` does not stand for the other two.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    # Nearly every answer holds personal data; what may be kept says so itself.
    "Cache-Control": "no-store",
}
# Two years. Only there is https certain: elsewhere it would lock developers out of their own http.
PRODUCTION_HEADERS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}

DOCS_PATH = "/docs"
# Of a request, and of a WebSocket that is refused; one that is accepted answers with nothing that could be shown.
_ANSWERS = frozenset({"http.response.start", "websocket.http.response.start"})
_FORM_PAGE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
_DOCS_PAGE = {
    "Content-Security-Policy": (
        # Swagger UI draws its icons from data: addresses in its style sheet.
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
# What the answers of a path have instead of, or beside, the above: our pages load and send what others do not.
HEADERS_BY_PATH: Mapping[str, Mapping[str, str]] = {
    SET_PATH: _FORM_PAGE,
    FORGOT_PATH: _FORM_PAGE,
    CHANGE_PATH: _FORM_PAGE,
    DOCS_PATH: _DOCS_PAGE,
}


def headers_of_every_answer(*, is_production: bool) -> Mapping[str, str]:
    """What an answer has unless it says otherwise itself."""
    return {**HEADERS, **(PRODUCTION_HEADERS if is_production else {})}


class SecurityHeaders:
    """Middleware: adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp, *, is_production: bool) -> None:
        self._app = app
        self._headers = headers_of_every_answer(is_production=is_production)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = {**self._headers, **HEADERS_BY_PATH.get(scope["path"], {})}

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _ANSWERS:
                answer = MutableHeaders(scope=message)
                for name, value in headers.items():
                    answer.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
