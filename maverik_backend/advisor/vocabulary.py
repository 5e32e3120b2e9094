"""Words that a Spanish stemmer gets wrong for money: everyday ones that look financial, financial ones that do not.

"Plaza" and "plazo" have one stem, and so do "Inter" and "interés". Taking such words out of a question before it is
searched keeps the embedded advisor from answering about football with compound interest.
"""

from __future__ import annotations

import re

from maverik_backend.core.text import fold

# Read as regular expressions over the folded question, whole words only.
_NOT_ABOUT_MONEY = (
    r"plazas?", r"platos?", r"inter", r"casos?", r"es seguro", r"seguro que", r"mar del plata", r"ciudad de la plata",
    r"(pelicula|peliculas|juego|juegos) de accion", r"me despido",
    r"lavado de (dinero|activos|plata)", r"(balon|medalla|boda|bodas|pez|edad) de oro",
    r"fondo de (pantalla|mar)", r"tarjeta (amarilla|roja)", r"estacion (de )?retiro", r"sala de emergencias?",
    r"compuestos? quimicos?", r"(invert|inviert)\w+ (un|una|el|la|este|esta) (string|cadena|lista|array|matriz)",
    r"rendir (un )?examen", r"viaje en el tiempo", r"perfil de (instagram|facebook|whatsapp|tinder)",
    r"cartera de cuero", r"transferencia de calor", r"mercado de pulgas", r"rueda de(l)? auto",
    # A session's own figures, as a first message repeats them, are facts and no topics.
    r"(un )?capital inicial de [\d.,]+\d", r"(un )?horizonte de \d+ (años?|mes|meses)",
    r"(una )?tolerancia al riesgo (baja|media|alta)",
)  # fmt: skip
_IGNORED = re.compile(rf"\b(?:{'|'.join(_NOT_ABOUT_MONEY)})\b")

# What people say, and the topic that it is about; regular expressions as above, the first that fits.
_SAID_AS = (
    (r"(?:me|nos|lo|la) (?:echan|echen|echaron) del? (?:mi |la )?(?:laburo|trabajo|empresa)", "despido desempleo"),
    (r"(?:me|nos|lo|la) (?:rajan|rajaron|rajen|despiden|despidan|despidieron)", "despido desempleo"),
    (r"(?:quedo|quedar|quedarme|quede|estoy) sin (?:laburo|trabajo|empleo)", "despido desempleo"),
    (r"(?:pierdo|perder|perdi) (?:el|mi) (?:laburo|trabajo|empleo)", "despido desempleo"),
    (r"(?:cobro|cobra|cobramos|cobran|cobrar|jubilacion|haber) (?:la |el )?minim[ao]", "jubilados pami"),
    (r"debo (?:\$ ?)?(?:\d[\d.]*|plata|guita|much[oa]|un[ao]?|dos|tres|varias|tarjetas?|en|al?)", "deudas acreedores"),
    (r"cobradores|embarg\w+", "deudas acreedores"),
    (r"(?:ofrecen?|ofrecieron|prometen?|prometieron|garantizan?) (?:[^\W\d]+ ){0,8}\d+ ?%", "estafa ponzi"),
    (r"(?:llego|llegamos|llegar|llegan|alcanza) (?:a|hasta) fin de mes", "presupuesto gastos"),
    (r"mercado ?pago|uala|naranja x|personal pay|cuenta dni|brubank|lemon", "billetera saldos remunerados"),
    (r"pesos|lucas|mangos|palos", "ahorro e inversion"),
    (r"tir", "tasa de rendimiento"),
    (r"fondos? comun(?:es)?", "fci fondos comun"),
    (r"cuentas? remuneradas?", "saldos remunerados billetera"),
)  # fmt: skip
_COLLOQUIAL = tuple((re.compile(rf"\b(?:{said})(?!\w)"), topic) for said, topic in _SAID_AS)

# What is looked up for messages that need one article, however they are worded.
GENERAL_ADVICE = "ahorro e inversion empezar"
ABOUT_COMPANIES = "acciones de empresas riesgo"
ABOUT_PROFILES = "perfil del inversor conservador moderado agresivo"


def searchable(question: str) -> str:
    """``question`` folded, without what is not about money, colloquial words in the articles' terms."""
    text = _IGNORED.sub(" ", fold(question))
    for said, topic in _COLLOQUIAL:
        text = said.sub(topic, text)
    return text
