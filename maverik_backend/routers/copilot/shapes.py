"""Domain objects of the copilot as its clients read them: one builder a wire shape."""

from __future__ import annotations

import structlog
from pydantic import ValidationError

from maverik_backend.core.text import without_bidi_controls
from maverik_backend.schemas.session import Portafolio, SesionResponse, TurnoResponse
from maverik_backend.services import sessions
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.sessions import AdvisorySession
from maverik_backend.services.turns import Turn
from maverik_backend.texts import advice as texts

_log = structlog.get_logger(__name__)


def turn_response(turn: Turn) -> TurnoResponse:
    """A turn. ``output`` is always a text: one that has no answer says so."""
    has_text = bool(turn.markdown)
    unanswered = texts.UNANSWERED.get(turn.state, "")
    return TurnoResponse(
        id=turn.id,
        sesion_asesoria_id=turn.conversation_id,
        input=without_bidi_controls(turn.message),
        output=turn.plain_text or "" if has_text else unanswered,
        output_markdown=turn.markdown or "" if has_text else unanswered,
        estado=turn.state,
        origen=turn.origin,
        portafolio=_portfolio_of(turn),
        fuentes=[without_bidi_controls(source) for source in turn.sources],
        fecha_creacion=turn.created_at,
    )


def session_response(session: AdvisorySession, catalogs: Catalogs) -> SesionResponse:
    """A session with its name and the text that a first turn without input would send."""
    return SesionResponse(
        id=session.id,
        usuario_id=session.usuario_id,
        titulo_chat=sessions.title_of(session, catalogs),
        primer_input=sessions.first_input(session, catalogs),
        proposito_sesion_id=session.proposito_sesion_id,
        objetivo_id=session.objetivo_id,
        capital_inicial=session.capital_inicial,
        horizonte_temporal=session.horizonte_temporal,
        tolerancia_al_riesgo_id=session.tolerancia_al_riesgo_id,
        fecha_creacion=session.fecha_creacion,
    )


def _portfolio_of(turn: Turn) -> Portafolio | None:
    """The portfolio of the turn; ``None`` also for one that this release cannot read: it costs no more than itself."""
    if not turn.portfolio:
        return None
    try:
        return Portafolio.model_validate(turn.portfolio)
    except ValidationError:
        _log.warning("portfolio_unreadable", turn_id=turn.id)
        return None
