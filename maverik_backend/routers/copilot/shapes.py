"""Domain objects of the copilot as its clients read them: one builder a wire shape."""

from __future__ import annotations

from dataclasses import asdict

import structlog
from pydantic import ValidationError

from maverik_backend.core.text import without_bidi_controls
from maverik_backend.schemas.session import Cita, Portafolio, SesionResponse, TurnoResponse
from maverik_backend.schemas.user import EventoResponse, InicioSesionResponse, LoginResponse, UsuarioResponse
from maverik_backend.services import sessions
from maverik_backend.services.accounts import Account, EventRecord, LoginRecord, LoginTokens
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.sessions import AdvisorySession
from maverik_backend.services.turns import Source, Turn
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
        fuentes=list(dict.fromkeys(without_bidi_controls(source.title) for source in turn.sources)),
        citas=[_citation(source) for source in turn.sources if source.is_citation],
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


def account_response(account: Account) -> UsuarioResponse:
    """The account's own profile."""
    return UsuarioResponse(
        **asdict(account.profile),
        id=account.id,
        email=account.email,
        fecha_creacion=account.created,
        fecha_actualizacion=account.updated,
        debe_cambiar_clave=account.must_change_password,
        email_verificado=account.email_verified,
    )


def event_response(event: EventRecord) -> EventoResponse:
    """Something that happened to the account."""
    return EventoResponse(id=event.id, tipo=event.kind, direccion=event.network, fecha_creacion=event.created)


def login_response(login: LoginRecord, *, is_current: bool) -> InicioSesionResponse:
    """An open login; ``is_current`` marks the one that the request was sent with."""
    return InicioSesionResponse(
        id=login.id,
        fecha_creacion=login.created,
        ultimo_uso=login.last_used,
        vence=login.expires,
        direccion=login.network,
        agente=login.agent,
        actual=is_current,
    )


def tokens_response(tokens: LoginTokens) -> LoginResponse:
    """What a client gets for a login."""
    return LoginResponse(
        access_token=tokens.access_token.token,
        expires_in=tokens.access_token.expires_in_s,
        refresh_token=tokens.refresh_token,
        user_name=tokens.user_name,
        debe_cambiar_clave=tokens.must_change_password,
    )


def _citation(source: Source) -> Cita:
    return Cita(
        titulo=without_bidi_controls(source.title),
        url=source.url,
        documento_id=source.document_id,
        pagina=source.page,
        pasaje_id=source.passage_id,
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
