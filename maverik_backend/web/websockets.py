"""Which paths take WebSockets."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Match


def takes_websocket(app: Starlette, path: str) -> bool:
    """Whether a route of ``app`` takes WebSockets at ``path``; elsewhere an upgrade is ignored."""
    scope = {"type": "websocket", "path": path, "root_path": "", "headers": [], "app": app}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)
