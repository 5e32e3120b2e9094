"""What the demo tells: an invented investor and her questions."""

from __future__ import annotations

EMAIL = "lucia.fernandez@example.com"
PROFILE = {
    "fecha_nacimiento": "1991-04-18",
    "nivel_educativo_id": 3,
    "conocimiento_alt_inversion_id": 2,
    "experiencia_invirtiendo_id": 2,
    "porcentaje_ahorro_mensual_id": 2,
    "porcentaje_ahorro_invertir_id": 3,
    "tiempo_mantener_inversion_id": 2,
    "busca_invertir_en_id": 2,
    "proporcion_inversion_mantener_id": 3,
}
SESSION = {
    "proposito_sesion_id": 2,
    "objetivo_id": 1,
    "capital_inicial": 12000,
    "horizonte_temporal": 48,
    "tolerancia_al_riesgo_id": 2,
}
QUESTIONS = (
    None,
    "Puedo ahorrar 350 dólares por mes. ¿Cuánto junto para el anticipo?",
    "¿Qué es un CEDEAR y en qué se diferencia de un fondo común?",
    "¿Y eso qué riesgos tiene?",
    "¿Cómo hago una torta de chocolate?",
)

TITLE = "Maverik: una conversación de demostración"
INTRO = "Un servidor propio, con su PostgreSQL, en {address}. Lucía es inventada; las respuestas son reales."
STEP_SIGN_UP = "Lucía se registra con su perfil de inversora"
STEP_MAIL = "Le llega el correo con la clave temporal"
STEP_LOGIN = "Inicia sesión"
STEP_SESSION = "Abre una sesión de asesoría"
STEP_HISTORY = "Relee la conversación"

MAIL_FOUND = "«{subject}», con una línea «Clave: {masked}»"
LOGGED_IN = "Hola, {user_name}. El token vale {hours} horas."
SESSION_OPENED = "«{title}»"
PERSON = "Lucía"
ADVISOR = "Maverik"
HISTORY = "{count} turnos guardados, en orden y completos."
PORTFOLIO = "El portafolio, como dato: {assets}."
END = "Listo, en {seconds} segundos. Para usarlo vos: {command}."
