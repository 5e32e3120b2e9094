"""Public help lines of Argentina: the one place that holds their numbers, each with its source and when it was checked.

A number is changed here only; ``tests/services/safety`` demands that every number in a text about care is one
of these. A number that no source confirms does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpLine:
    """A line that people can call for nothing. ``reach`` is where it answers, ``hours`` when.

    ``source`` is the publication that names it; ``published`` its date; ``checked`` when it was read for this file.
    """

    number: str
    name: str
    reach: str
    hours: str
    source: str
    published: str
    checked: str = "2026-11-21"


SUICIDE_METRO = HelpLine(
    number="135",
    name="Centro de Asistencia al Suicida",
    reach="CABA y Gran Buenos Aires",
    hours="todos los días",
    source="https://lapostacomodorense.com.ar/2025/09/03/septiembre-mes-de-la-prevencion-del-suicidio-la-importancia-de-escuchar-acompanar-y-abrazar/",
    published="2025-09-03",
)
SUICIDE_NATIONAL = HelpLine(
    number="0800-345-1435",
    name="Centro de Asistencia al Suicida",
    reach="todo el país",
    hours="todos los días",
    source="https://www.casbuenosaires.com.ar/",
    published="known since the first release; no publication of 2025-2026 was found that repeats it",
)
MENTAL_HEALTH = HelpLine(
    number="0800-999-0091",
    name="Línea nacional de salud mental",
    reach="todo el país",
    hours="las 24 horas",
    source="https://lapostacomodorense.com.ar/2025/09/03/septiembre-mes-de-la-prevencion-del-suicidio-la-importancia-de-escuchar-acompanar-y-abrazar/",
    published="2025-09-03",
)
EMERGENCY = HelpLine(
    number="911",
    name="Emergencias",
    reach="casi todo el país",
    hours="las 24 horas",
    source="https://www.argentina.gob.ar/tema/emergencias",
    published="undated official page; named for urgent cases by each source of this file",
)
MEDICAL = HelpLine(
    number="107",
    name="Emergencias médicas (SAME)",
    reach="CABA y muchas ciudades",
    hours="las 24 horas",
    source="https://www.lagaceta.com.ar/nota/1102321/lg-play/nunca-hay-minimizar-pedidos-ayuda-especialista-explico-como-funciona-linea-asistencia-al-suicidio.html",
    published="2025-09-11",
)
GENDER_VIOLENCE = HelpLine(
    number="144",
    name="Línea 144, violencia por motivos de género",
    reach="todo el país",
    hours="las 24 horas",
    source="https://puntodevistaweb.com/2025/09/19/una-de-las-principales-acciones-contra-la-violencia-de-genero-cumple-12-anos",
    published="2025-09-19",
)
FAMILY_VIOLENCE = HelpLine(
    number="137",
    name="Línea 137, violencia familiar y sexual",
    reach="todo el país",
    hours="las 24 horas",
    source="https://www.diariodecuyo.com.ar/editorialdeldia/Proteccion-de-menores-ante-casos-de-abusos-o-violencia-20220813-0112.html",
    published="2022-08-13",
)
CHILDREN = HelpLine(
    number="102",
    name="Línea 102, derechos de chicas, chicos y adolescentes",
    reach="todo el país",
    hours="según la provincia",
    source="https://www.argentina.gob.ar/linea-102",
    published="undated official page",
)
GAMBLING = HelpLine(
    number="0800-444-4000",
    name="Juego compulsivo",
    reach="provincia de Buenos Aires",
    hours="días hábiles",
    source="http://www.telam.com.ar/notas/201801/239151-como-reconocer-y-ayudar-a-un-jugador-compulsivo.html",
    published="2018-01",
)
ADDICTIONS = HelpLine(
    number="141",
    name="SEDRONAR, adicciones",
    reach="todo el país",
    hours="las 24 horas",
    source="https://www.argentina.gob.ar/jefatura/sedronar",
    published="undated official page; not readable from where this was written",
)

ALL = (
    SUICIDE_METRO, SUICIDE_NATIONAL, MENTAL_HEALTH, EMERGENCY, MEDICAL, GENDER_VIOLENCE, FAMILY_VIOLENCE, CHILDREN,
    GAMBLING, ADDICTIONS,
)  # fmt: skip
