"""What is said about questions to data, by language: around the sentences that a project's definition has."""

from __future__ import annotations

TRUNCATED = {
    "es": "Se muestran las primeras {count} filas; hay más.",
    "en": "The first {count} rows are shown; there are more.",
}
CAN_BE_ASKED = {
    "es": "No sé responder eso con los datos que tengo. Podés preguntarme, por ejemplo:",
    "en": "I cannot answer that from the data I have. You can ask me, for example:",
}
DID_YOU_MEAN = {
    "es": "Tu pregunta puede querer decir más de una cosa. ¿Cuál de estas?",
    "en": "Your question can mean more than one thing. Choose one of these:",
}
ABOUT_KNOWLEDGE = {
    "es": "Eso no se responde con datos. De los datos podés preguntarme, por ejemplo:",
    "en": "That is not answered from data. About the data you can ask me, for example:",
}
MISSING = {
    "es": "Para responder me falta un dato: {name}. Por ejemplo: «{example}».",
    "en": 'To answer I need to know one more thing: {name}. For example: "{example}".',
}
FAILED = {
    "es": "No pude consultar los datos en este momento. Probá de nuevo en unos minutos.",
    "en": "I could not read the data right now. Please try again in a few minutes.",
}
AND = {"es": "y", "en": "and"}
MORE = {"es": "{count} más", "en": "{count} more"}
NO_VALUE = {"es": "sin dato", "en": "no value"}
YES = {"es": "sí", "en": "yes"}
NO = {"es": "no", "en": "no"}
MONTHS = {
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
