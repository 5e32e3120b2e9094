"""What an error says to people: a short title and a sentence on what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maverik_backend.texts import format as fmt


@dataclass(frozen=True, slots=True)
class ProblemText:
    """The two texts of a problem (RFC 9457, section 3.1)."""

    title: str
    detail: str


INVALID_INPUT = ProblemText("Datos inválidos", "Revisá los datos marcados y volvé a intentar.")
MALFORMED = ProblemText("Pedido mal formado", "No se pudo interpretar el pedido.")
WRONG_CREDENTIALS = ProblemText("Credenciales incorrectas", "El correo o la clave no son correctos.")
NOT_AUTHENTICATED = ProblemText("Sesión no iniciada", "Iniciá sesión para continuar.")
SECOND_FACTOR_REQUIRED = ProblemText(
    "Falta el segundo factor", "Escribí el código de tu aplicación, o uno de tus códigos de recuperación."
)
WRONG_SECOND_FACTOR = ProblemText(
    "Código incorrecto", "El código no es válido ahora, o ya se usó. Probá con el siguiente."
)
SECOND_FACTOR_ACTIVE = ProblemText(
    "El segundo factor ya está activo", "Para cambiarlo, primero quitá el que tenés y después activá otro."
)
SECOND_FACTOR_INACTIVE = ProblemText(
    "No hay segundo factor", "No tenés un segundo factor activo ni por confirmar. Empezá de nuevo."
)
OPERATORS_ONLY = ProblemText("Sólo para operadores", "Tu cuenta no tiene permiso para esto.")
OPERATOR_WITHOUT_SECOND_FACTOR = ProblemText(
    "Falta el segundo factor", "Para esto hay que entrar con segundo factor: activalo en tu cuenta y volvé a entrar."
)
TOO_MANY_TRIES = ProblemText("Demasiados intentos", "Hiciste demasiados intentos. Esperá un rato y volvé a probar.")
WAIT_A_MINUTE = "Hiciste demasiados intentos. Esperá un minuto y volvé a probar."
WAIT_MINUTES = "Hiciste demasiados intentos. Esperá {minutes} minutos y volvé a probar."


def too_many_tries(minutes: int) -> ProblemText:
    """The problem that says after how many minutes to try again."""
    detail = WAIT_A_MINUTE if minutes == 1 else WAIT_MINUTES.format(minutes=minutes)
    return ProblemText(TOO_MANY_TRIES.title, detail)


TOO_MANY_AT_ONCE = ProblemText(
    "Demasiados pedidos a la vez", "Ya tenés otros pedidos en curso. Esperá a que termine alguno y probá de nuevo."
)
ADDRESS_BUSY = ProblemText(
    "Demasiados pedidos desde tu conexión",
    "Desde tu misma conexión ya hay muchas consultas en curso. Probá de nuevo en unos segundos.",
)
QUOTA_USED_UP = ProblemText(
    "Límite de uso alcanzado", "Ya usaste todo lo que podés consultar en este período. Probá de nuevo más adelante."
)
DAY_USED_UP = "Ya usaste todo lo que podés consultar por hoy. Vas a poder seguir a partir del {ends} (hora argentina)."
MONTH_USED_UP = (
    "Ya usaste todo lo que podés consultar este mes. Vas a poder seguir a partir del {ends} (hora argentina)."
)


def quota_used_up(ends: datetime, *, is_month: bool) -> ProblemText:
    """The problem that says when the day, or the month, ends."""
    when = fmt.local_minute(ends)
    detail = MONTH_USED_UP.format(ends=when) if is_month else DAY_USED_UP.format(ends=when)
    return ProblemText(QUOTA_USED_UP.title, detail)


TOO_MANY_SESSIONS = ProblemText(
    "Demasiadas sesiones", "Llegaste al máximo de sesiones que podés tener. Borrá alguna para abrir otra."
)
TOO_MANY_DOCUMENTS = ProblemText(
    "Demasiados documentos", "Llegaste al máximo de documentos o de colecciones que podés tener. Borrá alguno."
)
READ_ONLY = ProblemText("Sólo lectura", "Esto es para todos: lo podés leer, pero no cambiar.")
NOT_FOUND = ProblemText("No encontrado", "Lo que buscás no existe o no está disponible para vos.")
UNSUPPORTED_MEDIA_TYPE = ProblemText(
    "Formato no aceptado", "El cuerpo tiene que ser JSON, con el encabezado Content-Type: application/json."
)
TOO_LARGE = ProblemText("Pedido demasiado grande", "El cuerpo del pedido supera el tamaño permitido.")
TOO_SLOW = ProblemText(
    "Pedido demasiado lento", "El pedido tardó demasiado en llegar. Revisá tu conexión y probá de nuevo."
)
HEADERS_TOO_LARGE = ProblemText(
    "Encabezados demasiado grandes", "Los encabezados del pedido son demasiados o superan el tamaño permitido."
)
METHOD_NOT_ALLOWED = ProblemText("Método no permitido", "Esta dirección no acepta ese método.")
TURN_IN_PROGRESS = ProblemText("Turno en curso", "Todavía se está respondiendo tu mensaje anterior. Esperá un momento.")
KEY_REUSED = ProblemText(
    "Clave de idempotencia repetida", "Ese Idempotency-Key ya se usó con otro pedido. Mandá una clave nueva."
)
INTERRUPTED = ProblemText("Respuesta sin terminar", "La respuesta quedó sin terminar. Pedila de nuevo.")
NOTHING_TO_RETRY = ProblemText("Nada que reintentar", "Ese mensaje ya tiene su respuesta.")
OVERLOADED = ProblemText("Mucha demanda", "Hay muchas consultas en este momento. Probá de nuevo en unos segundos.")
DATABASE_UNAVAILABLE = ProblemText(
    "Servicio no disponible", "El servicio está momentáneamente sobrecargado o fuera de línea. Probá en unos segundos."
)
UPSTREAM = ProblemText("Servicio externo no disponible", "Un servicio del que dependemos no respondió. Probá de nuevo.")
OTHER = ProblemText("No se pudo completar", "No se pudo completar el pedido.")
INTERNAL = ProblemText("Error interno", "Algo falló de nuestro lado. Ya quedó registrado; probá de nuevo en un rato.")
