"""The application on a real port, inside the process of the tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from maverik_backend.api import create_app
from maverik_backend.core.deadline import Deadline
from maverik_backend.server import Server
from maverik_backend.settings import Settings


@contextmanager
def serving(served: Settings | FastAPI) -> Iterator[str]:
    """The address of the application, or of one for these settings, on a real port until the block ends."""
    app = create_app(served) if isinstance(served, Settings) else served
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    deadline = Deadline.after(30)
    while not server.started and thread.is_alive() and not deadline.passed:
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
