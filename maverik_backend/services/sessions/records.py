"""Advisory sessions as services hand them around. Fields have the names of their columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from maverik_backend.services.accounts import InvestorProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What a session is about. ``horizonte_temporal`` is in months; ``capital_inicial`` has no currency."""

    proposito_sesion_id: int
    objetivo_id: int | None
    capital_inicial: Decimal | None
    horizonte_temporal: int | None
    tolerancia_al_riesgo_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisorySession(SessionFacts):
    """A session as stored. ``titulo`` is the name that its owner gave, ``None`` where it has none."""

    id: int
    usuario_id: int
    titulo: str | None
    fecha_creacion: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContext(SessionFacts):
    """A session and its owner's profile, as far as an answer depends on them.

    ``portfolio_facts`` are those that its latest portfolio was made for (``services/advice``), ``None`` without one.
    ``care`` is the kind of trouble that the person told of in it (``services/safety``), ``None`` for most.
    """

    session_id: int
    is_answered: bool
    portfolio_facts: str | None
    care: str | None
    profile: InvestorProfile
