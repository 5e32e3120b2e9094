"""The vocabulary of what can happen to an account: what tables hold and people are shown."""

from __future__ import annotations

from enum import StrEnum


class SecurityEvent(StrEnum):
    """What can happen to an account; the person sees these in ``GET /user/me/events``."""

    SIGNED_UP = "registro"
    LOGGED_IN = "inicio_de_sesion"
    LOGIN_FAILED = "inicio_fallido"
    LOGGED_OUT = "cierre_de_sesion"
    LOGIN_ENDED = "sesion_terminada"
    CONFIRMATION_FAILED = "confirmacion_fallida"
    REFRESH_REPEATED = "renovacion_repetida"
    REFRESH_REUSED = "token_reutilizado"
    PASSWORD_CHANGED = "clave_cambiada"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "clave_restablecida"  # noqa: S105
    RESET_REQUESTED = "restablecimiento_pedido"
    PASSWORD_RESENT = "clave_reenviada"  # noqa: S105
    EMAIL_VERIFIED = "correo_verificado"
    SECOND_FACTOR_ADDED = "segundo_factor_activado"
    SECOND_FACTOR_REMOVED = "segundo_factor_quitado"
    SECOND_FACTOR_ASKED = "segundo_factor_pedido"
    SECOND_FACTOR_FAILED = "segundo_factor_fallido"
    RECOVERY_CODES_RENEWED = "codigos_renovados"
    RECOVERY_CODE_USED = "codigo_de_recuperacion_usado"
    OPERATOR_GRANTED = "operador_nombrado"
    OPERATOR_REVOKED = "operador_revocado"
    DATA_EXPORTED = "datos_exportados"
    DISABLED = "cuenta_deshabilitada"
    ENABLED = "cuenta_habilitada"
    MERGED = "cuentas_unidas"
    DELETED = "cuenta_borrada"
