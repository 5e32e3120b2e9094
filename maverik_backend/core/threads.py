"""Threads that live as long as there is work for them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from maverik_backend.errors import Overloaded


def start_daemon(target: Callable[[], None], *, name: str) -> threading.Thread:
    """A started thread that does not keep the process from ending.

    Raises:
        Overloaded: when the system gives no thread.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise Overloaded from None
    return thread
