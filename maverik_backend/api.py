"""The application: the one place where everything is wired.

``create_app`` makes what requests share, top to bottom, and hands each part only what it needs. Tests give it their
own ``clients`` and ``database``; nothing is ever patched.

``uvicorn maverik_backend.api:app`` works too: ``app`` is made from the environment when it is first asked for, so
importing this module opens nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import anyio.to_thread
import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy import Connection, create_engine
from starlette.types import Scope

from maverik_backend import __version__
from maverik_backend.clients.llm.base import Model
from maverik_backend.clients.registry import ClientContext, Clients, make_clients
from maverik_backend.container import advisory_assistant, make_assistants, make_ledger
from maverik_backend.core.data_sources import DataSources
from maverik_backend.core.database import Database, TransactionFactory, make_engine, make_heartbeat_engine
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.logging import configure_logging
from maverik_backend.core.mail_links import Links
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.secret_key import make_keyring
from maverik_backend.core.security import Keyring, PasswordHasher
from maverik_backend.core.tokens import Tokens
from maverik_backend.errors import DatabaseUnavailable, SettingsError
from maverik_backend.invocation import own_command
from maverik_backend.routers import catalog, docs, documents, health, metrics, site
from maverik_backend.routers.copilot import auth, chat, second_factor, session, user
from maverik_backend.services.accounts import (
    Authenticator,
    Clock,
    Enrolments,
    Exports,
    Hashing,
    Logins,
    Passwords,
    SecondFactors,
    reseal,
)
from maverik_backend.services.advice import Proposals
from maverik_backend.services.catalogs import CatalogCache
from maverik_backend.services.jobs import JobKind, JobRunner, MailJob, Worker
from maverik_backend.services.knowledge import (
    DocumentSearch,
    EmbeddingJob,
    IngestionJob,
    KnowledgeIndex,
    request_missing_vectors,
    request_vectors,
)
from maverik_backend.services.limits import Action, ConcurrencyLimiter, Throttle, limits_from, make_storage
from maverik_backend.services.operations import Health, clean_up, keep_used_passwords
from maverik_backend.services.sessions import AdviceClients
from maverik_backend.services.turns import Acceptance, Follower, Heartbeat, Lease, RunningTurns, TurnEngine
from maverik_backend.services.usage import Ledger
from maverik_backend.settings import Settings, load_config
from maverik_backend.web import openapi, problems
from maverik_backend.web.cors import Cors
from maverik_backend.web.middleware.address_limit import AddressLimit, LimitedByAddress, is_ordinary, is_preflight
from maverik_backend.web.middleware.body_limit import BodyLimit
from maverik_backend.web.middleware.request_log import RequestLog
from maverik_backend.web.middleware.security_headers import SecurityHeaders
from maverik_backend.web.middleware.websocket_errors import WebSocketErrors
from maverik_backend.web.middleware.websocket_log import WebSocketLog
from maverik_backend.web.middleware.websocket_origin import WebSocketOrigin
from maverik_backend.web.resources import Resources, resources_of
from maverik_backend.web.uploads import MAX_AT_ONCE

HOURLY_S = 3600.0

_log = structlog.get_logger(__name__)


def create_app(
    settings: Settings,
    *,
    clients: Clients | None = None,
    database: Database | None = None,
    hasher: PasswordHasher | None = None,
    executor: Executor | None = None,
    clock: Clock = time.time,
) -> FastAPI:
    """The application for ``settings``. What is not given is made as the settings say.

    ``executor`` runs the optimiser beside the advisor, and turns that are streamed; codes of second factors are of the
    time on ``clock``.

    Raises:
        SettingsError: when something is enabled but cannot work.
    """
    measured = Metrics()
    # One connection is all there may be on Lambda; tests hand in theirs.
    has_own_beats = database is None and settings.database.pool_size > 1
    database = database or Database(make_engine(settings))
    beats = Database(make_heartbeat_engine(settings)) if has_own_beats else database
    database.report_to(measured)
    index = KnowledgeIndex(database.transaction)
    clients = clients or make_clients(ClientContext(settings=settings, search=index, metrics=measured))
    keyring = make_keyring(settings)
    security = settings.security
    hashing = Hashing(hasher or PasswordHasher())
    tokens = Tokens(
        keyring,
        access_ttl=timedelta(minutes=security.access_token_ttl_minutes),
        refresh_ttl=timedelta(days=security.refresh_token_ttl_days),
        short_access_ttl=timedelta(minutes=security.short_access_token_ttl_minutes),
    )
    counters = make_storage(security.rate_limit_storage.get_secret_value(), database.transaction)
    throttle = Throttle(counters, limits_from(security))
    links = Links.from_settings(settings)
    logins = Logins(tokens)
    second_factors = SecondFactors(
        transaction=database.transaction,
        keyring=keyring,
        throttle=throttle,
        clock=clock,
        forgot_url=links.forgot,
    )
    passwords = Passwords(
        transaction=database.transaction,
        hashing=hashing,
        keyring=keyring,
        throttle=throttle,
        logins=logins,
        second_factors=second_factors,
        links=links,
        temporary_password_ttl=timedelta(hours=security.temporary_key_ttl_hours),
        reset_link_ttl=timedelta(minutes=security.reset_link_ttl_minutes),
    )
    turn_executor = executor or ThreadPoolExecutor(settings.advice.max_concurrent_turns, thread_name_prefix="turn")
    executor = executor or ThreadPoolExecutor(settings.app.worker_threads, thread_name_prefix="optimizer")
    catalogs = CatalogCache(database.transaction)
    proposals = Proposals(optimizer=clients.optimizer, executor=executor)
    documents = DocumentSearch(database.transaction, embedder=clients.embedder)
    sources = DataSources(settings.data_sources)
    advice = AdviceClients(
        assistants=make_assistants(
            settings, clients, documents=documents, proposals=proposals, sources=sources, database=database
        ),
        assistant=advisory_assistant(settings, clients),
        proposals=proposals,
        catalogs=catalogs,
        settings=settings.advice,
    )
    turns = _make_turn_engine(
        settings,
        database,
        beats=beats,
        executor=turn_executor,
        throttle=throttle,
        metrics=measured,
        ledger=make_ledger(settings, clients, metrics=measured),
    )
    resources = Resources(
        settings=settings,
        database=database,
        beats=beats,
        clients=clients,
        knowledge=index,
        uploads=ConcurrencyLimiter(MAX_AT_ONCE),
        documents=documents,
        data_sources=sources,
        keyring=keyring,
        tokens=tokens,
        throttle=throttle,
        authenticator=Authenticator(
            transaction=database.transaction,
            hashing=hashing,
            tokens=tokens,
            logins=logins,
            second_factors=second_factors,
            throttle=throttle,
        ),
        passwords=passwords,
        enrolments=Enrolments(
            transaction=database.transaction,
            keyring=keyring,
            passwords=passwords,
            second_factors=second_factors,
            throttle=throttle,
        ),
        catalogs=catalogs,
        advice=advice,
        turns=turns,
        exports=Exports(transaction=database.transaction, throttle=throttle, pool_size=settings.database.pool_size),
        jobs=JobRunner(
            transaction=database.transaction,
            kinds=job_kinds(settings, clients, transaction=database.transaction, keyring=keyring),
            keyring=keyring,
            metrics=measured,
        ),
        health=Health(
            transaction=database.transaction,
            upstreams={
                "rag": lambda deadline: clients.advisor.check(deadline=deadline),
                "optimizer": lambda deadline: clients.optimizer.check(deadline=deadline),
                **{name: partial(_check, model) for name, model in clients.models.remote.items()},
            },
        ),
        metrics=measured,
    )
    app = _make_fastapi(settings, measured, throttle)
    app.state.resources = resources
    app.router.lifespan_context = partial(_lifespan, executor=executor)
    return app


def _make_turn_engine(
    settings: Settings,
    database: Database,
    *,
    beats: Database,
    executor: Executor,
    throttle: Throttle,
    metrics: Metrics,
    ledger: Ledger,
) -> TurnEngine:
    """``beats`` is the database as the heartbeat reaches it."""
    running = RunningTurns()
    heartbeat = Heartbeat(transaction=beats.transaction, process_id=uuid4(), running=running)
    return TurnEngine(
        transaction=database.transaction,
        acceptance=Acceptance(
            transaction=database.transaction,
            throttle=throttle,
            settings=settings.advice,
            lease=Lease(process_id=heartbeat.process_id, duration=heartbeat.lease),
            ledger=ledger,
        ),
        running=running,
        heartbeat=heartbeat,
        follower=Follower(transaction=database.transaction),
        executor=executor,
        metrics=metrics,
        ledger=ledger,
    )


def job_kinds(
    settings: Settings, clients: Clients, *, transaction: TransactionFactory, keyring: Keyring
) -> tuple[JobKind[Any], ...]:
    """Every kind of job, with what it needs: one line each."""
    embedder = clients.embedder

    def have_vectors_made(db: Connection) -> None:
        if embedder is not None:
            request_vectors(db, model=embedder.name, keyring=keyring)

    return (
        MailJob(sender=clients.mail, timeout_s=settings.mail.mail_timeout_s),
        IngestionJob(transaction=transaction, after_stored=have_vectors_made),
        EmbeddingJob(transaction=transaction, embedder=embedder, keyring=keyring),
    )


def _check(model: Model, deadline: Deadline) -> None:
    model.check(deadline=deadline)


def check_configuration(settings: Settings) -> None:
    """Make all that a start makes of the settings, apart from the database, which nothing here connects to.

    So a migration finds out before it changes anything that the server could not start afterwards.

    Raises:
        SettingsError: as :func:`create_app` would.
    """
    create_app(settings, database=Database(create_engine("postgresql+pg8000://")))


def _make_fastapi(settings: Settings, measured: Metrics, throttle: Throttle) -> FastAPI:
    app = FastAPI(
        title="Maverik Backend",
        version=__version__,
        # A path has one spelling; another would be answered with a 307 that has no body.
        redirect_slashes=False,
        openapi_url=docs.OPENAPI_PATH if settings.app.serves_api_docs else None,
        docs_url=None,
        redoc_url=None,
    )
    for module in (
        chat,
        session,
        catalog,
        user,
        auth,
        second_factor,
        documents,
        health,
        site,
    ):  # routes are tried in order: the busiest come first
        _add_routes(app, module.router)
    if settings.security.metrics_token is not None:
        _add_routes(app, metrics.router)
    if settings.app.serves_api_docs:
        _add_routes(app, docs.router)
    problems.install(app)
    openapi.install(app)

    def address_limit(action: Action, is_counted: Callable[[Scope], bool]) -> AddressLimit:
        return AddressLimit(
            action=action,
            is_counted=is_counted,
            throttle=throttle,
            trusted_proxy_count=settings.security.trusted_proxy_count,
            is_counted_here=settings.security.counts_in_memory,
        )

    # The last one added is the outermost: also what fails unexpectedly has an id, a log line and the CORS headers, and
    # so has a refused preflight.
    app.add_middleware(BodyLimit)
    app.add_middleware(WebSocketOrigin, origins=(*settings.frontend.origins, settings.app.origin))
    app.add_middleware(LimitedByAddress, limit=address_limit(Action.REQUEST_FROM_ADDRESS, is_ordinary))
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(WebSocketErrors)
    app.add_middleware(
        Cors,
        limit=address_limit(Action.PREFLIGHT_FROM_ADDRESS, is_preflight),
        origins=settings.frontend.origins,
    )
    app.add_middleware(RequestLog, metrics=measured)
    app.add_middleware(WebSocketLog, metrics=measured)
    app.add_middleware(SecurityHeaders, is_production=settings.app.is_production)
    return app


def _add_routes(app: FastAPI, router: APIRouter) -> None:
    """Serve the routes of ``router`` as they are.

    ``include_router`` would build each of them once more, with all its validators, at the first request to the
    application: 45 ms of processor time at every start, and in every test that makes an application.
    """
    app.router.routes.extend(router.routes)


@asynccontextmanager
async def _lifespan(app: FastAPI, *, executor: Executor) -> AsyncIterator[None]:
    """Start what runs beside requests, and end it in the opposite order."""
    resources = resources_of(app)
    settings = resources.settings
    anyio.to_thread.current_default_thread_limiter().total_tokens = settings.app.worker_threads
    app.state.database_slots = anyio.Semaphore(settings.database.request_slots)
    await anyio.to_thread.run_sync(prepare, resources)
    workers = _workers(resources)
    for worker in workers:
        worker.start()
    _log.info("started", version=__version__, advisor=settings.advice.advisor, mail=settings.mail.sender)
    try:
        yield
    finally:
        for worker in workers:
            await anyio.to_thread.run_sync(worker.stop)
        await anyio.to_thread.run_sync(partial(resources.close, grace_s=settings.app.shutdown_grace_s))
        await anyio.to_thread.run_sync(partial(executor.shutdown, cancel_futures=True))
        _log.info("stopped")


def _workers(resources: Resources) -> tuple[Worker, ...]:
    """What is done beside requests, each in a thread of its own: the failure of one keeps none of the others."""
    database = resources.database
    seal_anew = partial(reseal, database.transaction, keyring=resources.keyring)
    return (
        *resources.jobs.workers(interval_s=resources.settings.mail.jobs_poll_interval_s),
        Worker("cleanup", partial(clean_up_once, database), interval_s=HOURLY_S),
        Worker("reseal", seal_anew, interval_s=HOURLY_S),
    )


def clean_up_once(database: Database) -> None:
    """Delete expired rows, keep mailed keys that were used, and log how much it was."""
    with database.transaction() as db:
        deleted = clean_up(db)
    with database.transaction() as db:
        kept = keep_used_passwords(db)
    _log.info("cleaned_up", rows=deleted, keys_kept=kept)


def prepare(resources: Resources) -> None:
    """Do ahead what the first requests would wait for. Without the database they will; the start does not fail."""
    try:
        if resources.health.needs_migration():
            _log.error("database_not_migrated", detail=f"the database is not migrated: run `{own_command('migrate')}`")
            return
        resources.catalogs.get()
        resources.knowledge.prepare()
        if (embedder := resources.clients.embedder) is not None:
            with resources.database.transaction() as db:
                request_missing_vectors(db, embedder=embedder, keyring=resources.keyring)
    except DatabaseUnavailable as error:
        database = resources.settings.database
        _log.error("database_unavailable_at_start", host=database.host, port=database.port, detail=str(error))


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the signature of PEP 562
    """``app`` for servers that import it by name, made from the environment once."""
    if name != "app":
        raise AttributeError(name)
    try:
        settings = load_config()
        configure_logging(settings.app)
        app = globals()["app"] = create_app(settings)
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    return app
