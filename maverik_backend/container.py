"""Parts that several surfaces share, made of settings and clients; ``api.create_app`` puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from maverik_backend.clients.rag.base import Advisor
from maverik_backend.clients.registry import Clients
from maverik_backend.core.data_sources import DataSources
from maverik_backend.core.database import Database
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import ModelUnavailable, SettingsError
from maverik_backend.services import queries
from maverik_backend.services.advice import Proposals
from maverik_backend.services.assistants import (
    SHIPPED,
    AdvisorAssistant,
    Assistant,
    Assistants,
    Definition,
    Kind,
    Library,
    ModelAssistant,
    QueriesAssistant,
    Tool,
    ToolClients,
    faults,
    make_tools,
    query_tools,
)
from maverik_backend.services.knowledge import DocumentSearch
from maverik_backend.services.queries import DataQuestions
from maverik_backend.services.usage import Ledger, Limits, Prices
from maverik_backend.settings import Settings

TIME_TO_FINISH: Final = timedelta(seconds=15)
"""Of a turn, behind its deadline: to write its answer down when the database was away."""


def make_assistants(
    settings: Settings,
    clients: Clients,
    *,
    documents: DocumentSearch,
    proposals: Proposals,
    sources: DataSources,
    database: Database,
) -> Assistants:
    """The assistants that ship and those of ``ASSISTANTS_DIR``.

    Raises:
        SettingsError: with a sentence for each faulty definition, or when nothing answers for the one that advisory
            sessions are to have.
    """
    own = settings.assistants.assistants_dir
    library = Library([SHIPPED] if own is None else [SHIPPED, own], check=faults)
    tool_clients = ToolClients(documents=documents, models=clients.models, proposals=proposals)
    is_embedded = settings.advice.advisor == "embedded"
    assistants = Assistants(
        library,
        kinds={
            Kind.RAG: partial(_advisor, None if is_embedded else clients.advisor),
            Kind.EMBEDDED: partial(_advisor, clients.advisor if is_embedded else clients.fallback),
            Kind.MODEL: partial(_model, clients, tools=make_tools(tool_clients), sources=sources),
            Kind.QUERIES: partial(_queries, sources=sources),
        },
        transaction=database.transaction,
    )
    if not assistants.can_answer(slug := advisory_assistant(settings, clients)):
        raise SettingsError([f'ADVISORY_ASSISTANT is "{slug}": there is none, or nothing is configured for it.'])
    return assistants


def make_ledger(settings: Settings, clients: Clients, *, metrics: Metrics) -> Ledger:
    """The ledger of what is used of language models, with the limits of ``QUOTA_...``.

    Raises:
        SettingsError: when the file of prices has faults, or a limit in dollars would count nothing.
    """
    usage = settings.usage
    prices = Prices.load(usage.model_prices_file)
    default = clients.models.default
    if usage.has_cost_limit and default is not None and prices.find(str(default)) is None:
        raise SettingsError([f"A QUOTA_USD_ limit is set, but {default} has no price: name one in MODEL_PRICES_FILE."])
    return Ledger(
        prices=prices,
        limits=Limits.from_settings(usage),
        metrics=metrics,
        hold=timedelta(seconds=settings.advice.external_service_timeout) + TIME_TO_FINISH,
    )


def advisory_assistant(settings: Settings, clients: Clients) -> str:
    """The slug of who answers advisory sessions."""
    if settings.assistants.advisory_assistant is not None:
        return settings.assistants.advisory_assistant
    if settings.advice.rag_service_url is not None:
        return "maverik-rag"
    return "maverik" if clients.models.default is not None else "maverik-integrado"


def _advisor(advisor: Advisor | None, _definition: Definition) -> Assistant | None:
    return None if advisor is None else AdvisorAssistant(advisor)


def _queries(definition: Definition, *, sources: DataSources) -> Assistant | None:
    questions = _questions(definition, sources)
    return None if questions is None else QueriesAssistant(definition, questions)


def _questions(definition: Definition, sources: DataSources) -> DataQuestions | None:
    """What may be asked of the definition's data; ``None`` when there is nothing, or its address is not set."""
    if definition.queries is None:
        return None
    read = queries.read(definition.queries)
    return None if sources.get(read.definition.source) is None else DataQuestions(read, sources=sources)


def _model(
    clients: Clients, definition: Definition, *, tools: Mapping[str, Tool], sources: DataSources
) -> Assistant | None:
    models = clients.models
    try:
        name = models.default if definition.model is None else models.find(definition.model)
        model = models.of(name) if name is not None else None
    except ModelUnavailable:
        return None
    if name is None or model is None:
        return None
    known = {tool: tools[tool] for tool in definition.tools if tool in tools}
    if (questions := _questions(definition, sources)) is not None:
        known |= query_tools(questions)
    return ModelAssistant(definition, name=name, model=model, tools=known)
