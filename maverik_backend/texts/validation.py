"""Why a field cannot be accepted. Keys are pydantic's error types; braces take the limits that it reports."""

from __future__ import annotations

NUL = "No puede contener el carácter nulo."
BLANK = "No puede estar vacío."
AGE = "La edad tiene que estar entre {min} y {max} años."
UNKNOWN_OPTION = "No es una opción válida."
AMOUNT = "Tiene que ser un número sin separador de miles, con punto y hasta dos decimales: 12000.50."
GOAL_REQUIRED = "Para este propósito hace falta elegir un objetivo."
FIRST_INPUT_ONLY = "Escribí tu mensaje: sólo el primero de la sesión puede ir sin texto."

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
    "decimal_max_places": "No puede tener más de {decimal_places} decimales.",
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
