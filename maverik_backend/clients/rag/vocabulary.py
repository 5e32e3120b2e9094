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
    r"(pelicula|peliculas|juego|juegos) de accion", r"(balon|medalla|boda|bodas|pez|edad) de oro",
    r"fondo de (pantalla|mar)", r"tarjeta (amarilla|roja)", r"estacion (de )?retiro", r"sala de emergencias?",
    r"compuestos? quimicos?", r"(invert|inviert)\w+ (un|una|el|la|este|esta) (string|cadena|lista|array|matriz)",
    r"rendir (un )?examen", r"viaje en el tiempo", r"perfil de (instagram|facebook|whatsapp|tinder)",
    r"cartera de cuero", r"transferencia de calor", r"mercado de pulgas", r"rueda de(l)? auto",
)  # fmt: skip
_IGNORED = re.compile(rf"\b(?:{'|'.join(_NOT_ABOUT_MONEY)})\b")

# What people say, and the topic that it is about.
_SAID_AS = {
    "pesos": "ahorro e inversion",
    "lucas": "ahorro e inversion",
    "mangos": "ahorro e inversion",
    "tir": "tasa de rendimiento",
}
_COLLOQUIAL = re.compile(rf"\b(?:{'|'.join(_SAID_AS)})\b")


def searchable(question: str) -> str:
    """``question`` folded, without what is not about money, colloquial words in the articles' terms."""
    kept = _IGNORED.sub(" ", fold(question))
    return _COLLOQUIAL.sub(lambda word: _SAID_AS[word[0]], kept)
