"""AWS Lambda: the application behind a Function URL or an HTTP API, and by schedule what a server does beside requests.

====================  ===============================================================================================
Handler               One invocation
====================  ===============================================================================================
``handler``           answers one HTTP request
``jobs_handler``      runs the jobs that are due, one after the other, while it has the time for another one
``cleanup_handler``   deletes expired rows
``migrate_handler``   brings the database to the newest revision
====================  ===============================================================================================

Each is a function of its own over the same image (``deployments/lambda/template.yaml``), so that whatever arrives at
the public address can only ever be a request. It is made from the environment when the runtime asks for it, once a cold
start; importing this module opens nothing. What goes wrong with the configuration ends the start, in sentences.

An environment answers one request at a time and is frozen in between, for as long as Lambda likes. So no thread waits
beside requests: there is no lifespan, none of the workers, and the optimiser's thread ends with its work. One that is
late is left to its deadline, as anywhere else: thawed after it, it finds that no time is left. A connection that died
meanwhile is replaced before it is used (``core/database.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import structlog
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaContext

from maverik_backend.api import clean_up_once, create_app, prepare
from maverik_backend.core.database import Database, make_engine
from maverik_backend.core.logging import configure_logging
from maverik_backend.core.migrations import upgrade
from maverik_backend.core.one_off_threads import OneOffThreads
from maverik_backend.errors import SettingsError
from maverik_backend.settings import Need, Settings, load_config
from maverik_backend.web import problems
from maverik_backend.web.resources import resources_of

Event = dict[str, Any]
Handler = Callable[[Event, LambdaContext], dict[str, Any]]

# What a job may take beyond its timeout: storing how it ended.
SETTLE_MARGIN_S = 5.0

_log = structlog.get_logger(__name__)


def make_handler(settings: Settings) -> Handler:
    """Answers HTTP requests, as Function URLs and HTTP APIs (payload format 2.0) put them."""
    app = create_app(settings, executor=OneOffThreads())
    prepare(resources_of(app))

    def handle(event: Event, context: LambdaContext) -> dict[str, Any]:
        adapter = Mangum(
            app,
            lifespan="off",  # it would start and end with each request
            api_gateway_base_path=_stage_path(event),
            text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, problems.MEDIA_TYPE],
        )
        return adapter(event, context)

    return handle


def make_jobs_handler(settings: Settings) -> Handler:
    """Runs what is due; a job for which there is no time left waits for the next invocation."""
    jobs = resources_of(create_app(settings)).jobs

    def handle(_event: Event, context: LambdaContext) -> dict[str, Any]:
        tried = 0
        while jobs.run_next(within_s=context.get_remaining_time_in_millis() / 1000 - SETTLE_MARGIN_S):
            tried += 1
        return {"tried": tried}

    return handle


def make_cleanup_handler(settings: Settings) -> Handler:
    """Cleans up once."""
    database = Database(make_engine(settings))

    def handle(_event: Event, _context: LambdaContext) -> dict[str, Any]:
        clean_up_once(database)
        return {}

    return handle


def make_migrate_handler(settings: Settings) -> Handler:
    """Migrates; one that Lambda's 15 minutes cut off goes on where it was when it is invoked again."""

    def handle(_event: Event, _context: LambdaContext) -> dict[str, Any]:
        upgrade(settings)
        _log.info("migrated")
        return {}

    return handle


def _stage_path(event: Event) -> str:
    """What an HTTP API puts before the path: its stage, unless that is the default one. Function URLs have no other."""
    stage = event.get("requestContext", {}).get("stage", "$default")
    return "/" if stage == "$default" else f"/{stage}"


def _load(needs: Collection[Need]) -> Settings:
    settings = load_config(needs=needs)
    if problems_found := list(_lambda_problems(settings, needs)):
        raise SettingsError(problems_found)
    configure_logging(settings.app)
    return settings


def _lambda_problems(settings: Settings, needs: Collection[Need]) -> Iterator[str]:
    """What works on one machine only: here every instance has a disk and a memory of its own, and soon none."""
    if settings.database.is_embedded:
        yield "DB_HOST is not set: Lambda keeps nothing on disk, so not the embedded PostgreSQL either."
    if Need.MAIL in needs and settings.mail.is_local:
        yield "SMTP_API_URL or SMTP_HOST is not set: Lambda keeps nothing on disk, so no local mailbox either."
    if Need.TOKENS in needs and settings.security.secret_key is None:
        yield "SECRET_KEY is not set: every instance would invent its own; make one with `keys generate`."
    if settings.security.counts_in_memory:
        yield "RATE_LIMIT_STORAGE=memory would count in every instance on its own: use postgres."


# What makes each handler, and what it needs: template.yaml gives its function the secrets for that and no others.
_MAKERS: dict[str, tuple[Callable[[Settings], Handler], frozenset[Need]]] = {
    "handler": (make_handler, frozenset({Need.TOKENS})),  # its mails wait as jobs, sealed
    "jobs_handler": (make_jobs_handler, frozenset({Need.TOKENS, Need.MAIL})),
    "cleanup_handler": (make_cleanup_handler, frozenset()),
    "migrate_handler": (make_migrate_handler, frozenset()),
}


def _with_request_id(handler: Handler) -> Handler:
    """Puts what Lambda calls the invocation into every log line of it."""

    def handle(event: Event, context: LambdaContext) -> dict[str, Any]:
        with structlog.contextvars.bound_contextvars(aws_request_id=context.aws_request_id):
            return handler(event, context)

    return handle


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the signature of PEP 562
    """The handlers of the table above, made when the runtime looks them up."""
    if name not in _MAKERS:
        raise AttributeError(name)
    make, needs = _MAKERS[name]
    handler = globals()[name] = _with_request_id(make(_load(needs)))
    return handler
