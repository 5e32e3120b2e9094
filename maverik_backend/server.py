"""Running the application with uvicorn: saying where it is once it answers, and ending when it is asked to.

After a SIGTERM the process says that it is not ready, and goes on for the time to drain: load balancers look only now
and then. Then nothing new is accepted and requests under way may finish. A thread that waits for a service cannot be
stopped from outside, so when the grace is over the turns that remain are marked as interrupted and the process leaves.
"""

from __future__ import annotations

import asyncio
import gc
import math
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from types import FrameType
from typing import cast

import click
import structlog
import uvicorn
from fastapi import FastAPI

from maverik_backend.api import create_app
from maverik_backend.connections import (
    BoundedProtocol,
    BoundedWebSocket,
    ConnectionTable,
    limits_from,
    make_refusals,
    raise_open_files_limit,
)
from maverik_backend.core import embedded_postgres
from maverik_backend.core.logging import configure_logging
from maverik_backend.core.metrics import shared_with_children
from maverik_backend.errors import SettingsError
from maverik_backend.invocation import own_command
from maverik_backend.settings import Settings
from maverik_backend.supervisor import Supervisor
from maverik_backend.web.middleware.security_headers import DOCS_PATH, headers_of_every_answer
from maverik_backend.web.resources import resources_of
from maverik_backend.web.websockets import takes_websocket

LEAVE_MARGIN_S = 10
GC_THRESHOLD = 20_000  # allocations more than deallocations; Python's own is 700

_log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """uvicorn's server, which also prints ``announcement`` once it accepts connections."""

    def __init__(self, app: FastAPI, *, host: str, port: int, announcement: str | None = None) -> None:
        self._resources = resources_of(app)
        self._drain_s = self._resources.settings.app.shutdown_drain_s
        self._grace_s = self._resources.settings.app.shutdown_grace_s
        self._is_stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        limits = limits_from(self._resources.settings, open_files=raise_open_files_limit())
        self._connections = ConnectionTable(limits, metrics=self._resources.metrics)
        refusals = make_refusals(headers_of_every_answer(is_production=self._resources.settings.app.is_production))
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=cast(
                    type[asyncio.Protocol],
                    partial(
                        BoundedProtocol,
                        table=self._connections,
                        refusals=refusals,
                        takes_websocket=partial(takes_websocket, app),
                    ),
                ),
                ws=cast(type[asyncio.Protocol], partial(BoundedWebSocket, table=self._connections, refusals=refusals)),
                timeout_keep_alive=math.ceil(limits.keep_alive_s),
                log_config=None,  # logs are structlog's business (core/logging.py)
                access_log=False,
                server_header=False,
                proxy_headers=False,  # X-Forwarded-For is read by web/client_info.py alone, as TRUSTED_PROXY_COUNT says
                # Longer than the grace: _leave ends the process then, once the turns left behind are marked.
                timeout_graceful_shutdown=math.ceil(self._grace_s) + LEAVE_MARGIN_S,
            )
        )
        self._announcement = announcement

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End quietly: uvicorn would raise the signal again after the shutdown that it asked for."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, in the event loop: a handler runs amid any code, and what it logs amid another line fails."""
        if self._loop is None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._on_signal, sig, frame)

    def _on_signal(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; asked once more, drain no longer."""
        if self.should_exit:
            super().handle_exit(sig, frame)
        elif self._is_stopping or not self._drains():
            self._end()

    def _drains(self) -> bool:
        """Say that requests should go elsewhere; whether they have time to."""
        self._is_stopping = True
        self._resources.health.stop()
        drain_s = self._drain_s if self.started else 0.0
        running = self._resources.turns.running
        _log.info("stopping", running_turns=running, drain_s=drain_s, grace_s=self._grace_s)
        if drain_s:
            _later(drain_s, self._end)
        return drain_s > 0

    def _end(self) -> None:
        """Accept nothing more; whatever still waits when the grace is over is left behind."""
        if not self.should_exit:
            self.should_exit = True
            _later(self._grace_s, self._leave)

    def _leave(self) -> None:
        """Mark the turns that have no answer yet and end, without the threads that wait for one."""
        try:
            _log.warning("left_turns_behind", count=self._resources.turns.interrupt_running())
            if self._resources.settings.database.is_embedded:
                embedded_postgres.stop(embedded_postgres.data_dir_of(self._resources.settings))
        finally:
            os._exit(0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connections.start()
        await super().startup(sockets=sockets)
        # What was made by now stays for good: the collector need not walk through all of it again and again, nor stop
        # every turn to look for cycles that the few of them make.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        if self.started and self._announcement:
            click.echo(self._announcement)


def _later(delay_s: float, work: Callable[[], None]) -> None:
    timer = threading.Timer(delay_s, work)
    timer.daemon = True
    timer.start()


def serve(settings: Settings, *, host: str | None = None, port: int | None = None, workers: int = 1) -> None:
    """Serve with ``workers`` processes until a signal ends it; exits with another status than 0 when it cannot start.

    Raises:
        SettingsError: when the address cannot be listened on, or several processes would not share what they must.
    """
    if workers > 1 and settings.security.counts_in_memory:
        raise SettingsError(
            [f"RATE_LIMIT_STORAGE=memory would let --workers {workers} count tries apart: set it to postgres."]
        )
    host = host or settings.app.host
    with _listen(host, settings.app.port if port is None else port) as listener:
        settings = settings.listening_on(host, listener.getsockname()[1])
        if workers == 1:
            _run(settings, listener, host)
            return
        run_worker, grace_s = partial(_run_worker, settings, listener, host), settings.app.shutdown_s
        with (
            _shared_metrics(settings) as forget,
            Supervisor(run_worker, count=workers, grace_s=grace_s, on_death=forget) as supervisor,
        ):
            status = supervisor.run()
            listener.close()  # else clients would wait for an answer while the workers end
    if status:
        sys.exit(status)


def _shared_metrics(settings: Settings) -> AbstractContextManager[Callable[[int], None]]:
    """Let the workers count together where a route shows it; yields what is called for each that ended."""
    return shared_with_children() if settings.security.metrics_token else nullcontext(lambda _pid: None)


def _run_worker(settings: Settings, listener: socket.socket, host: str, number: int) -> None:
    """One of several processes; only the first one ever says where it is."""
    configure_logging(settings.app)
    try:
        _run(settings, listener, host, is_first=number == 0)
    except SettingsError as error:
        sys.exit("\n".join(error.problems))


def _run(settings: Settings, listener: socket.socket, host: str, *, is_first: bool = True) -> None:
    port = listener.getsockname()[1]
    announcement = _announcement(settings, host, port) if is_first else None
    server = Server(create_app(settings), host=host, port=port, announcement=announcement)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
        # Inherited by each connection. asyncio sets it on sockets that it makes itself; without it the second half of
        # an answer waits 40 ms for the client to acknowledge the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError([f"HOST={host} PORT={port} cannot be listened on ({reason}): choose others."]) from None
    return listener


def _announcement(settings: Settings, host: str, port: int) -> str:
    """The lines that are printed at the start: addresses, mailbox, demo."""
    address = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 - compared, not bound
    lines = [f"Maverik Backend answers on {address}"]
    if settings.app.serves_api_docs:
        lines.append(f"  API documentation    {address}{DOCS_PATH}")
    if settings.mail.is_local:
        lines.append(f"  Mails (with keys)    {settings.mailbox_dir.resolve()}")
    lines.append(f"  A whole conversation {own_command('demo')}")
    lines.append("  Stop with Ctrl-C")
    return "\n".join(["", *lines, ""])
