"""Why a field cannot be accepted. Keys are pydantic's error types; braces take the limits that it reports."""

from __future__ import annotations

from collections.abc import Sequence

from maverik_backend.texts.format import lower_first

NUL = "No puede contener el carácter nulo."
BLANK = "No puede estar vacío."
TOO_YOUNG = "Para usar Maverik hay que tener al menos {min} años."
AGE = "La edad tiene que estar entre {min} y {max} años."
UNKNOWN_OPTION = "No es una opción válida."
AMOUNT = "Tiene que ser un número sin separador de miles, con punto y hasta dos decimales: 12000.50."
GOAL_REQUIRED = "Para este propósito hace falta elegir un objetivo."
FIRST_INPUT_ONLY = "Escribí algo: sólo el primer mensaje de la sesión puede ir sin texto."

WRONG_KEY = "No es tu clave actual."
KEY_IS_COMMON = "Es una de las claves más usadas: elegí otra que no se adivine."
KEY_IS_CURRENT = "Es la clave que ya tenés: elegí una distinta."
KEY_IS_PREDICTABLE = "Es fácil de adivinar: elegí una que no sea una serie ni una repetición."
KEY_IS_ABOUT = "Se adivina por tu correo o por el nombre de Maverik: elegí otra."
KEY_IS_ADDRESS = "No puede ser tu correo."
KEY_LENGTH = "Tiene que tener entre {min} y {max} caracteres."
WRONG_CODE = "No es un código válido ahora, o ya se usó: probá con el siguiente."
KEY_NOT_REPEATED = "No es igual a la clave nueva: escribí las dos otra vez."
LINK_EXPIRED = "El enlace ya se usó o venció: pedí otro."

DEFAULT = "El valor no es válido."

MESSAGES: dict[str, str] = {
    "missing": "Falta este dato.",
    "json_invalid": "El cuerpo no es JSON válido.",
    "model_attributes_type": "Tiene que ser un objeto JSON.",
    "model_type": "Tiene que ser un objeto JSON.",
    "dict_type": "Tiene que ser un objeto JSON.",
    "string_type": "Tiene que ser un texto.",
    "string_unicode": "Tiene que ser texto Unicode válido.",
    "too_long": "No puede superar los {max_length} caracteres.",
    "too_short": "Tiene que tener al menos {min_length} caracteres.",
    "string_too_short": "Tiene que tener al menos {min_length} caracteres.",
    "string_too_long": "No puede superar los {max_length} caracteres.",
    "int_type": "Tiene que ser un número entero.",
    "int_parsing": "Tiene que ser un número entero.",
    "int_parsing_size": "El número es demasiado grande.",
    "int_from_float": "Tiene que ser un número entero.",
    "decimal_type": "Tiene que ser un número.",
    "decimal_parsing": "Tiene que ser un número.",
    "decimal_max_digits": "No puede tener más de {max_digits} dígitos.",
    "decimal_max_places": "Puede tener hasta {decimal_places} decimales, los centavos: por ejemplo, 12000.50.",
    "decimal_whole_digits": "No puede tener más de {whole_digits} dígitos enteros.",
    "finite_number": "Tiene que ser un número finito.",
    "greater_than_equal": "Tiene que ser mayor o igual que {ge}.",
    "less_than_equal": "Tiene que ser menor o igual que {le}.",
    "date_type": "Tiene que ser una fecha con el formato AAAA-MM-DD.",
    "date_parsing": "Tiene que ser una fecha con el formato AAAA-MM-DD.",
    "date_from_datetime_parsing": "Tiene que ser una fecha con el formato AAAA-MM-DD.",
    "date_from_datetime_inexact": "Tiene que ser una fecha con el formato AAAA-MM-DD.",
    "value_error": "El valor no es válido.",
}

EMAIL = "No es una dirección de correo válida."

# Data as the forms call them.
LABELS: dict[str, str] = {
    "email": "Correo electrónico",
    "clave": "Clave",
    "clave_actual": "Clave actual",
    "clave_nueva": "Clave nueva",
    "fecha_nacimiento": "Fecha de nacimiento",
    "nivel_educativo_id": "Nivel educativo",
    "conocimiento_alt_inversion_id": "Conocimiento de alternativas de inversión",
    "experiencia_invirtiendo_id": "Experiencia invirtiendo",
    "porcentaje_ahorro_mensual_id": "Cuánto ahorrás por mes",
    "porcentaje_ahorro_invertir_id": "Cuánto de tus ahorros invertirías",
    "tiempo_mantener_inversion_id": "Cuánto tiempo mantendrías una inversión",
    "busca_invertir_en_id": "Qué buscás al invertir",
    "proporcion_inversion_mantener_id": "Qué harías si tu inversión cayera",
    "proposito_sesion_id": "Propósito de la sesión",
    "objetivo_id": "Objetivo",
    "capital_inicial": "Capital inicial",
    "horizonte_temporal": "Plazo en meses",
    "tolerancia_al_riesgo_id": "Tolerancia al riesgo",
    "titulo_chat": "Nombre de la sesión",
    "input": "Tu mensaje",
    # In no form of the frontend.
    "codigo": "Código",
    "token": "Enlace",
    "limit": "Cantidad por página (limit)",
    "before": "Página (before)",
    "body": "Pedido",
}
MAX_IN_SUMMARY = 3
MORE = "También hay que revisar: {names}."


def summary(refused: Sequence[tuple[str, str]]) -> str:
    """What is wrong as sentences: the findings of the first fields, and of the others only their names.

    Fields that no person fills in are called as the API does.
    """
    found = [f"{LABELS.get(name, name)}: {lower_first(message)}" for name, message in refused[:MAX_IN_SUMMARY]]
    names = dict.fromkeys(LABELS.get(name, name) for name, _ in refused[MAX_IN_SUMMARY:])
    return " ".join([*found, *([MORE.format(names=", ".join(names))] if names else [])])
