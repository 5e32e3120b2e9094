"""Running the application with uvicorn, and saying where it is once it answers."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import uvicorn
from fastapi import FastAPI

from maverik_backend.api import create_app
from maverik_backend.errors import SettingsError
from maverik_backend.settings import Settings

SHUTDOWN_GRACE_S = 30


class Server(uvicorn.Server):
    """uvicorn's server, which also calls ``announce`` once it accepts connections."""

    def __init__(self, app: FastAPI, *, host: str, port: int, announcement: str | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,  # logs are structlog's business (core/logging.py)
                access_log=False,
                server_header=False,
                proxy_headers=False,  # X-Forwarded-For is read by web/caller.py alone, as TRUSTED_PROXY_COUNT says
                timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
            )
        )
        self._announcement = announcement

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End quietly: uvicorn would raise the signal again after the shutdown that it asked for."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self._announcement:
            click.echo(self._announcement)


def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Serve until a signal ends it; exits with status 1 when it cannot start.

    Raises:
        SettingsError: when the address cannot be listened on.
    """
    host = host or settings.app.host
    with _listen(host, settings.app.port if port is None else port) as listener:
        port = listener.getsockname()[1]
        server = Server(create_app(settings), host=host, port=port, announcement=_announcement(settings, host, port))
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError([f"HOST={host} PORT={port} cannot be listened on ({reason}): choose others."]) from None


def _announcement(settings: Settings, host: str, port: int) -> str:
    """What a newcomer does next."""
    address = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 - compared, not bound
    lines = [f"Maverik Backend answers on {address}", f"  API documentation    {address}/docs"]
    if settings.mail.is_local:
        lines.append(f"  Mails (with keys)    {settings.mailbox_dir.resolve()}")
    lines.append("  A whole conversation python -m maverik_backend demo")
    lines.append("  Stop with Ctrl-C")
    return "\n".join(["", *lines, ""])
