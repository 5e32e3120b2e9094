"""Whether a message tries to change the product's rules or to see its instructions (OWASP LLM01:2025)."""

from __future__ import annotations

import re

from maverik_backend.core.phrases import any_of, words_of

_RULES = (
    r"(?:instruccion(?:es)?|reglas?|indicacion(?:es)?|ordenes|prompts?|directivas?|limites|restricciones|filtros|"
    r"politicas|"
    r"configuracion|programacion|guidelines|instructions|rules|lineamientos|mensaje de(?:l)? sistema)"
)
_FORGET = (
    r"(?:ignor|olvid|desobedec|salte|saltat|omit|descart|anul|elimin|borr|reemplaz|bypass|disregard|forget|override|"
    r"desactiv|"
    r"romp|dejes? de (?:seguir|respetar)|no (?:sigas|respetes|hagas caso))\w*"
)
_SHOW = (
    r"(?:mostr|most|revel|repet|repit|decime|dime|imprim|copi|escrib|pega|dame|pasame|cual(?:es)? (?:es|son)|que "
    r"dicen?|"
    r"transcrib|traduc|resum|show|print|reveal|tell me|contame|list|enumer)\w*"
)
_INJECTION = any_of(
    r"(?:repeti|repetime|copia|mostrame|decime)(?: \w+){0,3} texto(?: \w+){0,4} (?:antes|arriba|anterior|previo)(?: "
    r"\w+){0,4}",
    r"(?:ignora|olvida|olvidate de|desconoce) (?:todo|la politica|las politicas|tu rol|tu papel)(?= *$| \.| y\b| lo\b)",
    r"a partir de (?:ahora|este momento)(?: \w+){0,3} (?:ignor\w+|olvid\w+|obedec\w+|no tenes)(?: \w+){0,4}",
    r"(?:mostrame|decime|revela\w*|pasame) (?:el |la |tu )?(?:system|prompt|clave|contraseña)(?= *$| \.)",
    r"(?:finge|fingi|hace de cuenta|imagina|actua como si)(?: \w+){0,2} que? ?sos(?: \w+){0,10} (?:clave|contraseña|"
    r"prompt|instrucciones|secreto)",
    rf"{_FORGET}(?: \w+){{0,6}} {_RULES}",
    rf"{_FORGET}(?: \w+){{0,3}} (?:todo lo anterior|lo que te (?:dijeron|ordenaron|programaron)|all previous)",
    rf"{_SHOW}(?: \w+){{0,5}} (?:system prompt|prompt|tus (?:\w+ )?{_RULES}|{_RULES} (?:internas?|ocultas?|secretas?|"
    r"iniciales|originales|del sistema|de sistema|que te dieron|anteriores)|texto de arriba|your instructions)",
    r"(?:actua|actues|comporta|compor\w+|hace|hacete|pretende|simula|imagina|juga|finge|responde|sos|seras|hablame|"
    r"act) "
    r"(?:\w+ ){0,6}(?:sin (?:ningun\w? )?(?:reglas|limites|restricciones|filtros?|censura|etica|advertencias)|dan|"
    r"jailbreak|"
    r"malvado|otra ia|evil|asesor sin)",
    r"(?:modo|mode) (?:desarrollador|developer|dan|admin\w*|debug|dios|god|sin (?:filtro|restricciones|censura)|"
    r"libre|root|prueba|"
    r"mantenimiento|experto sin)",
    r"(?:a partir de ahora|desde ahora|de ahora en mas|from now on)(?: \w+){0,6} (?:sos|seras|vas a|responde\w*|"
    r"actua\w*|obedec\w*|"
    r"debes|tenes que|you)",
    r"soy (?:(?:tu|el|la|un)(?: \w+)? (?:administrador\w?|desarrollador\w?|creador\w?|programador\w?|operador\w?|"
    r"auditor\w?)|tu (?:dueñ[oa]|superior|jefe|ingenier[oa]))(?: \w+){0,20}",
    r"(?:responde|contesta|deci|decime|escribi|repeti|repetí|repite)(?: (?:solo|solamente|unicamente|exactamente|"
    r"literalmente|palabra "
    r"por palabra|textual\w*|despues de mi))(?: \w+){0,20}",
    r"(?:responde|contesta|deci|decime|escribi|repeti|asegura\w*|prometeme|confirma\w*)(?: \w+){0,8} que(?: \w+){0,10} "
    r"(?:garantizad\w+|va a subir|va a duplicar\w*|sin riesgo|seguro que)",
    r"(?:prometeme|garantizame|asegurame)(?: \w+){0,10}",
    r"(?:system|assistant|user|sistema|asistente) (?:override|message|prompt)|nueva(?:s)? (?:instruccion(?:es)?|"
    r"orden(?:es)?|reglas?)(?: "
    r"\w+){0,2}(?= *$| \.| del| para vos| son)",
    r"(?:clave|contraseña|password|api key|token|variables? de entorno|credenciales|base de datos)(?: \w+){0,3} (?:del "
    r"(?:sistema|servidor|backend|administrador)|de la (?:api|base)|de otro[s]? usuari\w+|interna\w?)",
    r"(?:datos|conversaci\w+|portafolio|perfil|mensajes|saldo|mail|correo)(?: \w+){0,2} de (?:otro|otra|otros|otras|"
    r"los demas|el resto "
    r"de los|todos los|los) (?:usuari|client|person)\w+",
)
# Marks of chat templates, and active content that an answer is asked to carry.
_MARKS = re.compile(
    r"<\|?/?(?:im_start|im_end|system|script|img|iframe|svg|a|html|assistant|user|s|inst)\b|\[/?(?:inst|system)\]|"
    r"!\[[^\]]*\]\(|javascript:|###\s*(?:system|instruction|sistema|instruccion)|onerror\s*=|(?:^|\n)\s*(?:system|"
    r"sistema|assistant)\s*:",
    re.IGNORECASE,
)


def is_injection(text: str) -> bool:
    """Whether ``text`` is such an attempt; a finance question in the same message is not answered either."""
    return bool(_MARKS.search(text) or _INJECTION.search(words_of(text)))
