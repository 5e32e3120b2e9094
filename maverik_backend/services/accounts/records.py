"""What the domain knows of people and their accounts, as it hands it out: read once, never written back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from maverik_backend.core.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestorProfile:
    """The questionnaire's answers: ids of catalogues, which name the fields."""

    fecha_nacimiento: date | None
    nivel_educativo_id: int | None
    conocimiento_alt_inversion_id: int
    experiencia_invirtiendo_id: int
    porcentaje_ahorro_mensual_id: int
    porcentaje_ahorro_invertir_id: int
    tiempo_mantener_inversion_id: int
    busca_invertir_en_id: int
    proporcion_inversion_mantener_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A row of ``usuario``. Times are ``None`` for what has not happened.

    ``must_change_password`` marks a password that was mailed; ``password_expires`` is when one that was never used
    stops working.
    """

    id: int
    email: str = field(repr=False)
    password_hash: str = field(repr=False)
    must_change_password: bool
    password_expires: datetime | None
    email_verified: datetime | None
    disabled: datetime | None
    operator: datetime | None
    profile: InvestorProfile
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecord:
    """A signed-in device: a row of ``inicio_sesion``. ``network`` and ``agent`` are those it was opened from."""

    id: int
    rotation: int
    repeated_rotation: int | None
    refreshes_tokens: bool
    created: datetime
    last_used: datetime
    expires: datetime
    network: str | None
    agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The account that a request is sent as, and the login that its token names.

    ``has_second_factor`` is whether one was shown in this login.
    """

    account: Account
    login_id: int
    has_second_factor: bool = False

    @property
    def principal(self) -> Principal:
        return Principal(id=self.account.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """Something that happened to an account; ``kind`` may be one that only another release knows."""

    id: int
    kind: str
    network: str | None
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """A TOTP secret as it is stored; ``activated`` is ``None`` until its first code."""

    id: int
    user_id: int
    sealed_secret: str = field(repr=False)
    activated: datetime | None
