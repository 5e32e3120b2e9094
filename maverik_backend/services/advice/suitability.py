"""Wishes that do not suit a person: found in what they say and in what is known of them, before any assistant is asked.

Word families over :func:`~maverik_backend.core.phrases.words_of`. A wish is found only where the person speaks of
their own
decision; what is asked in general, or said in the negative, is none.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from maverik_backend.clients.rag.base import Situation
from maverik_backend.core.phrases import any_of, words_of
from maverik_backend.services.advice.amounts import plain
from maverik_backend.services.advice.figures import figures_in
from maverik_backend.services.advice.suited_risk import LIQUID_ONLY_MONTHS


class Unsuitable(StrEnum):
    """Why a wish does not suit, the weightiest first; the first that is found is the answer."""

    ABSURD_YIELD = "absurd_yield"
    MINOR = "minor"
    OTHERS_MONEY = "others_money"
    EXPENSIVE_DEBT = "expensive_debt"
    BORROWED = "borrowed"
    EMERGENCY_FUND = "emergency_fund"
    NEEDED_SOON = "needed_soon"
    PANIC = "panic"
    RETIREMENT = "retirement"
    ALL_IN_ONE = "all_in_one"
    SPECULATION = "speculation"


_INVEST = (
    r"(?:inv[ie]+rt\w*|inversion(?:es)?|met(?:o|er\w*|emos|ele)|pong\w*|poner\w*|pus\w*|compr\w+|coloc\w+|"
    r"oper[aeo]\w*|trade\w*)"
)
_RISKY = (
    r"(?:acciones|accion|bolsa|merval|cedears?|cripto\w*|bitcoin\w*|btc|ethereum|eth|memecoins?|shiba|doge\w*|"
    r"altcoins?|tokens?|nfts?|"
    r"trading|forex|futuros|opciones|apalanc\w+|etfs?|bonos?|al30|gd30|ypf|tesla|nvidia|apple|meli|mercado ?libre|"
    r"galicia|ggal|"
    r"s ?p ?500|nasdaq|startups?|ico|usdt|renta variable|riesgo|agresiv\w+|letras?|on|obligaciones negociables|"
    r"dolares|oro)"
)
_VOLATILE = _RISKY.replace("|letras?|on|obligaciones negociables|dolares|oro", "")
_SAVINGS = (
    r"(?:plata|guita|dinero|ahorros?|capital|sueldo|indemnizacion|aguinaldo|herencia|jubilacion|fondos?|lo "
    r"que tengo|pesos|dolares)"
)
_COMPANY = (
    r"(?:ypf|tesla|nvidia|apple|amazon|google|meta|microsoft|meli|mercado ?libre|galicia|ggal|pampa|globant|vista|"
    r"coca ?cola|netflix|"
    r"disney|macro|supervielle|edenor|aluar|ternium|intel|amd|palantir|gamestop|boeing)"
)
_ONE_THING = (
    rf"(?:{_COMPANY}|cripto\w*|bitcoins?|btc|ethereum|eth|solana|doge\w*|shiba|memecoins?|una? (?:sola? )?(?:accion|"
    rf"empresa|cripto\w*|bono|"
    r"cedear|fondo|activo|moneda|lote|terreno|departamento|negocio|token|papel|inversion)|un solo|el mismo|la misma|"
    r"oro|dolares|dolar|"
    r"acciones|bonos?|cedears?|al30|gd30|la bolsa|un etf|nft|plazo fijo|usdt|pesos|mep|blue|forex|trading|eso|esto|ahi|"
    r"(?:acciones|papeles) de \w+)"
)
_OWN = any_of(
    r"quier\w+|quisiera|dame|das|pasame|voy a|vamos a|pienso|pensando|pense|estoy por|me conviene|conviene|puedo|"
    r"podria|podemos|"
    r"deberia|debo|tengo|"
    r"tenemos|me|mi|mis|nos|nuestr\w+|invierto|pongo|meto|compro|vendo|saco|hago|entro|uso|usar|saque|meti|puse|es "
    r"(?:buena|mala) idea|"
    r"vale la pena|si o no|todo|sol[oa]|hay un[ao]?|entre|estoy|rescato|saco|pague|pago|comprar|"
    r"invertir|vender|dicen|que opinas|que te parece|recomend\w+|ganas de|arriesgo|me la juego|le meto|"
    r"esta bien|sirve|alcanza"
)
_GENERAL = any_of(
    r"por que (?:no )?(?:conviene|es malo|es riesgoso|no hay que|se recomienda|dicen|esta mal)",
    r"que (?:pasa|significa|es|son) (?:si (?:alguien|una persona|uno)|cuando (?:alguien|la gente))",
    r"como (?:evito|evitar|me doy cuenta|reconozco|reconocer|detect\w+|hago para no|denunci\w+)",
    r"que (?:es|son|significa) (?:un|una|el|la|los|las|eso de)?",
)
_NEGATED = any_of(
    r"no (?:quiero|voy a|pienso|puedo|vamos a|me animo a|quisiera|pondria|metere|pondre)(?: \w+){0,2} "
    r"(?:endeud\w+|poner|meter|invertir|arriesgar|vender|tocar|sacar|jugar\w*|apostar)(?: \w+){0,12}",
    r"sin (?:endeudarme|tocar (?:el|mi) fondo|sacar (?:un )?(?:prestamo|credito)|poner todo|arriesgar)",
    r"ademas de(?:l| mi)? fondo de emergencia|ya tengo (?:el |mi |un )?fondo de emergencia(?! y (?:quiero|voy|pienso))",
)

_BORROW = (
    r"(?:prestamos?|creditos?|endeud\w+|hipotec\w+|prestad[oa]s?|apalanc\w+|descubierto|adelanto(?: de sueldo| en "
    r"efectivo)?|"
    r"(?:con|de|en) (?:la|mi|una) tarjeta|tarjeta de credito|financ\w+|cuotas|margen|refinanci\w+|pido plata|pedir "
    r"plata|me prestan?|"
    r"prest\w+ plata|empeñ\w+|cauciones? tomador\w*)"
)
_TO_INVEST = (
    rf"(?:para|y (?:con eso |lo |la |asi )?|a |pa |en ) ?(?:poder )?(?:inv[ie]+rt\w*|comprar\w* {_RISKY}|"
    rf"compro {_RISKY}|comprar(?: \w+)? {_RISKY}|"
    rf"met\w+|poner\w*|pongo\w*|operar|hacer trading|especul\w+|aprovech\w+|la bolsa|el mercado|{_VOLATILE}|hacer la "
    rf"bicicleta|"
    r"arbitr\w+|un plazo fijo|plazo fijo)"
)
_SOON = (
    r"(?:(?:en|dentro de|a) (?:un|una|dos|tres|cuatro|cinco|seis|\d{1,2}) (?:dias?|semanas?|mes(?:es)?)|(?:el|la) "
    r"(?:mes|semana|año) "
    r"(?:que viene|proxim[oa]|entrante)|(?:el|la) proxim[oa] (?:mes|semana)|en (?:unos|pocos|menos de)(?: \w+)? "
    r"(?:dias|semanas|meses)|"
    r"mañana|pronto|ya mismo|a fin de (?:mes|año)|este (?:mes|año)|en (?:enero|febrero|marzo|abril|mayo|junio|julio|"
    r"agosto|septiembre|"
    r"octubre|noviembre|diciembre)|antes de fin de año|en las vacaciones|corto plazo|en poco tiempo|en un año)"
)
_NEED = (
    r"(?:necesit\w+|uso|usar\w*|voy a (?:usar|necesitar|pagar|gastar)|tengo que (?:pagar|devolver|entregar)|vence\w*|"
    r"la plata es para|es para|"
    r"me caso|casamiento|operacion|cirugia|mudanza|mudo|mudar\w*|anticipo|escritur\w+|viaj\w+|alquiler|matricula|"
    r"facultad|"
    r"parto|nace|reserva|"
    r"pagar\w*|devolver\w*|hace falta|son para|refaccion|impuestos|seña)"
)
_COSTLY_DEBT = (
    r"(?:(?:deb\w+|deud\w+|saldo|atras\w+|mora|minimo|refinanc\w+|rojo|descubierto)(?: \w+){0,8} (?:tarjetas?|"
    r"prestamos?|banco|creditos?|"
    r"financiera|usurero|personal(?:es)?|millones|mil|palos|lucas|intereses)|pago (?:\w+ )?el minimo|pagando (?:\w+ "
    r")?el minimo|"
    r"(?:tarjetas?|prestamos?|creditos?)(?: \w+){0,5} (?:deb\w+|deud\w+|atrasad\w+|en mora|sin pagar|al \d+ ?%|"
    r"impag\w+|refinanci\w+)|"
    r"(?:tengo|con|mis|unas?|muchas) deudas?|estoy endeudad\w+)"
)
_ALL = (
    r"(?:todo|toda|todos|todas|entero|entera|completo|completa|la totalidad|el total|100 ?%|cien por ciento|90 ?%|"
    r"80 ?%|hasta el ultimo "
    r"(?:peso|centavo|mango)|all ?in|cada peso|el 100|la mayor parte|casi todo)"
)
_SELL = (
    r"(?:vend[eoai]\w*|sac[oa]r?\w*|liquid\w+|rescat\w+|retir\w+|salgo|me (?:bajo|voy)|salir\w*|desarm\w+|rajar|"
    r"huir)"
)
_FALL = (
    r"(?:cay\w+|cae\w*|caid\w*|caer|baj[oóa]\w*|bajando|derrumb\w*|desplom\w*|hund\w*|perd\w+|pierd\w+|crash|panico|"
    r"miedo|rojo|corrida|"
    r"corralito|susto|sangr\w+|abajo|colaps\w+|crisis|desangr\w+|asust\w+|-\d+|se va a cero|menos \d+ ?%|en negativo)"
)
_OTHERS = (
    r"(?:mi (?:mama|papa|madre|padre|suegr[oa]|abuel[oa]|herman[oa]|hij[oa]|ti[oa]|novi[oa]|marido|mujer|espos[oa]|"
    r"cuñad[oa]|amig[oa]|"
    r"viej[oa]|jefe|vecin[oa]|prim[oa]|socio|pareja|niet[oa]|sobrin[oa]|familia)|mis (?:amigos|padres|viejos|"
    r"clientes|hermanos|hijos|abuelos|"
    r"suegros|compañeros|tios|nietos)|un amigo|una amiga|amigos|clientes|terceros|otros|consorcio|la empresa|el "
    r"consorcio|el "
    r"club|la cooperadora|la "
    r"cooperativa|mi empresa|el negocio|mis empleados|mis alumnos|una vecina|un vecino)"
)

_PATTERNS: dict[Unsuitable, re.Pattern[str]] = {
    Unsuitable.OTHERS_MONEY: any_of(
        rf"{_OTHERS}(?: \w+){{0,3}} me prest\w+ sus (?:ahorros?|plata|dolares|pesos)(?: \w+){{0,8}}",
        rf"{_SAVINGS} (?:que )?(?:es )?(?:de|del|me (?:dio|dieron|presto|confio|confiaron|dejo|dejaron)) (?:el "
        rf")?{_OTHERS}"
        rf"(?: \w+){{0,10}}",
        rf"{_OTHERS}(?: \w+){{0,5}} (?:me (?:dio|dieron|da|dan|confi\w+|dej\w+|pid\w+ que|pidio que|paso|"
        rf"entreg\w+))(?: \w+){{0,6}} "
        rf"(?:{_SAVINGS}|inv[ie]+rt\w*)(?: \w+){{0,8}}",
        rf"(?:inv[ie]+rt\w*|manej\w+|administr\w+|oper\w+|mov\w+|junt\w+|pong\w*|poner\w*)(?:le|les)? (?:\w+ "
        rf"){{0,3}}{_SAVINGS} (?:a|de) "
        rf"{_OTHERS}",
        rf"(?:inv[ie]+rtir|manejar|operar)(?:le|les)? (?:por|para) {_OTHERS}",
    ),
    Unsuitable.BORROWED: any_of(
        rf"{_BORROW}(?: \w+){{0,8}} {_TO_INVEST}",
        rf"{_INVEST}(?: \w+){{0,8}} (?:con|sacando|tomando|pidiendo|usando) (?:\w+ ){{0,3}}{_BORROW}",
        rf"{_BORROW}(?: \w+){{0,6}} (?:{_VOLATILE}|especular)",
        rf"(?:hipotec\w+|vend\w+) (?:mi|la|el) (?:casa|depto|departamento|auto|vivienda)(?: \w+){{0,6}} (?:para|y) "
        rf"(?:\w+ ){{0,2}}"
        rf"{_INVEST}",
    ),
    Unsuitable.EMERGENCY_FUND: any_of(
        r"ahorros? de emergencias?(?: \w+){0,6} inversion(?:es)?",
        rf"(?:sin (?:trabajo|laburo|empleo)|desemplead[oa]|desocupad[oa]|me (?:echaron|despidieron|rajaron))(?: \w+| "
        rf"\.){{0,16}} (?:{_VOLATILE}|inv[ie]+rt\w*)",
        rf"(?:fondo|ahorros?|colchon|plata|reserva|dinero|guita)(?: \w+){{0,2}} (?:de|para|por) (?:las )?(?:mis "
        rf")?(?:emergencias?|"
        rf"imprevistos?|si pasa algo|urgencias?)(?: \w+){{0,10}} (?:{_VOLATILE}|bonos?|dolares|inv[ie]+rt\w*|met\w+)",
        r"(?:inv[ie]+rt\w*|us[ao]r?|met\w+|arriesg\w+|toco|tocar|sac[oa]r?) (?:\w+ ){0,3}(?:fondo de emergencias?|"
        r"colchon)(?: \w+){0,6}",
        rf"(?:mi|el|todo el) colchon(?: \w+){{0,8}} (?:{_RISKY}|inv[ie]+rt\w*)",
        r"(?:es )?(?:lo unico que tengo|mis unicos ahorros|mi unico ahorro|toda mi reserva|todo lo que tengo "
        r"ahorrado|los unicos ahorros)"
        r"(?: \w+){0,12}",
        rf"no tengo (?:un |ningun |otro )?(?:fondo de emergencia|ahorro|colchon|reserva)s?(?: \w+){{0,12}} "
        rf"(?:{_RISKY}|inv[ie]+rt\w*)",
        rf"(?:{_RISKY}|inv[ie]+rt\w*)(?: \w+){{0,12}} no tengo (?:un |ningun |otro )?(?:fondo de emergencia|ahorro|"
        rf"colchon|reserva)s?",
    ),
    Unsuitable.EXPENSIVE_DEBT: any_of(
        rf"(?:tarjetas? (?:explotad|reventad|al tope|al limite|al rojo|fundid)\w*|refinanciacion)(?: \w+| %){{0,14}} "
        rf"(?:{_VOLATILE}|{_INVEST})",
        rf"no (?:pague|pago|pagar|voy a pagar)(?: \\w+){{0,4}} (?:tarjeta|prestamo|cuota|deuda)s?(?: \\w+){{0,6}} "
        rf"(?:{_VOLATILE}|inv[ie]+rt\\w*|bonos?|dolares)",
        rf"{_COSTLY_DEBT}(?: \w+| %| \.){{0,18}} (?:{_INVEST}|{_RISKY}|plazo fijo)",
        rf"(?:{_INVEST}|{_RISKY}|plazo fijo)(?: \w+| %| \.){{0,14}} {_COSTLY_DEBT}",
        rf"(?:inv[ie]+rt\w*|ahorr\w+|compr\w+ {_RISKY})(?: \w+){{0,4}} o (?:\w+ ){{0,2}}(?:pag\w+|cancel\w+)",
        r"(?:pag\w+|cancel\w+)(?: \w+){0,6} (?:tarjeta|deuda|prestamo)(?: \w+){0,3} o (?:\w+ "
        r"){0,2}(?:inv[ie]+rt\w*|ahorr\w+|compr\w+)",
        rf"(?:dejo|dejar) de pagar(?: \w+){{0,6}} (?:para|y) (?:\w+ ){{0,2}}{_INVEST}",
    ),
    Unsuitable.NEEDED_SOON: any_of(
        rf"(?:{_VOLATILE}|bonos?)(?: \w+){{0,6}} con (?:la |mi |el )?{_SAVINGS} (?:de|del|para) (?:el |la |las |los )?"
        r"(?:alquiler|vacaciones|viaje|casamiento|operacion|matricula|expensas|anticipo|mudanza|cuota|impuestos|"
        r"tratamiento)",
        rf"{_NEED}(?: \w+){{0,10}} {_SOON}(?: \w+| \.){{0,14}} (?:{_VOLATILE}|inv[ie]+rt\w*|bonos?|pong\w*|met\w+)",
        rf"{_SOON}(?: \w+){{0,8}} {_NEED}(?: \w+| \.){{0,14}} (?:{_VOLATILE}|inv[ie]+rt\w*|bonos?|pong\w*|met\w+)",
        rf"(?:{_VOLATILE}|bonos?)(?: \w+| \.){{0,16}} {_NEED}(?: \w+){{0,10}} {_SOON}",
        rf"(?:{_VOLATILE}|bonos?)(?: \w+| \.){{0,12}} {_SOON}(?: \w+){{0,6}} {_NEED}",
        rf"{_SAVINGS}(?: \w+){{0,4}} (?:del|de la|de las|para el|para la|para las) (?:alquiler|viaje|vacaciones|"
        rf"casamiento|operacion|matricula|"
        rf"expensas|anticipo|mudanza|luz|cuota)(?: \w+){{0,8}} {_VOLATILE}",
    ),
    Unsuitable.PANIC: any_of(
        rf"{_FALL}(?: \w+| %| \.){{0,14}} {_SELL}",
        rf"{_SELL}(?: \w+){{0,5}} (?:todo|todas?|ya|ahora|acciones|cedears?|bonos?|fondos?|cripto\w*|bitcoin|"
        rf"inversiones|portafolio|cartera|"
        rf"posicion\w*|plata)(?: \w+| %| \.){{0,12}} {_FALL}",
        rf"(?:quiero|necesito|tengo que|me conviene|debo|deberia) {_SELL}(?: \w+){{0,6}} (?:ya|urgente|a perdida|"
        rf"antes (?:de )?que)",
        r"(?:estoy|entre) en panico(?: \w+){0,12}",
    ),
    Unsuitable.RETIREMENT: any_of(
        rf"mi (?:papa|mama|padre|madre|abuel[oa]|suegr[oa]|viej[oa])(?: \w+){{0,4}} (?:6\d|7\d|8\d)(?: años)?(?: "
        rf"\w+){{0,8}} {_VOLATILE}",
        rf"(?:me jubilo|jubilarme|me retiro|retirarme|mi retiro|mi jubilacion|para jubilar\w+)(?: \w+){{0,12}} "
        rf"(?:{_VOLATILE}|todo|arriesg\w+|"
        rf"duplicar)",
        rf"(?:{_VOLATILE}|arriesg\w+)(?: \w+| \.){{0,14}} (?:me jubilo|jubilarme|me retiro en|soy jubilad[oa]|somos "
        rf"jubilad\w+)",
        rf"(?:soy|estoy) (?:jubilad[oa]|pensionad[oa]|retirad[oa])(?: \w+| \.){{0,16}} {_VOLATILE}",
        rf"tengo (?:5[89]|6\d|7\d|8\d)(?: años)?(?: \w+| \.){{0,16}} (?:{_VOLATILE}|todo en|arriesg\w+)",
        rf"{_VOLATILE}(?: \w+| \.){{0,14}} tengo (?:5[89]|6\d|7\d|8\d)(?: años)?(?= *$| \.| y\b)",
        rf"(?:la|mi|toda la|toda mi) jubilacion (?:\w+ ){{0,3}}(?:en|a) (?:\w+ ){{0,2}}{_VOLATILE}",
    ),
    Unsuitable.ALL_IN_ONE: any_of(
        rf"{_ALL}(?: \w+){{0,6}} en (?:el|un|mi) (?:negocio|emprendimiento|proyecto)(?: de \w+)?",
        rf"(?:{_COMPANY}|cripto\w*|bitcoin)(?: \w+){{0,3}} (?:nada mas|solamente|unicamente)",
        rf"mis? (?:[\d.]+ |\w+ ){{1,3}}(?:dolares|pesos|usd) en (?:acciones de )?(?:{_COMPANY}|cripto\w*|bitcoin|una )",
        r"(?:una sola|un solo|una unica|un unico|la misma) (?:empresa|accion|activo|inversion|cripto\w*|moneda|papel|"
        r"bono|fondo|lugar|cosa)",
        rf"(?:solo|solamente|unicamente|nada mas que)(?: \w+){{0,3}} (?:{_COMPANY}|cripto\w*|bitcoin|btc)",
        rf"tod[oa] (?:a|en|al) (?:\w+ )?{_ONE_THING}",
        rf"(?:{_INVEST}|pas[oa]r?\w*|apost\w+|apuest\w+|jug\w+|jueg\w+|destin\w+|us[ao]r?|arriesg\w+|dejar?|tener|"
        rf"tengo|guard\w+|cambi\w+|v[oae]\w+)"
        rf"(?: \w+){{0,5}} {_ALL}(?: \w+){{0,8}} (?:en|a|por|al) (?:\w+ ){{0,2}}{_ONE_THING}",
        rf"{_ALL}(?: \w+){{0,8}} (?:en|a|por|al) (?:\w+ ){{0,2}}{_ONE_THING}",
        rf"(?:compr\w+|compro)(?: \w+){{0,4}} {_ONE_THING} con {_ALL}(?: \w+){{0,6}}",
        rf"(?:sol[oa]|solamente|unicamente|nada mas)(?: \w+){{0,3}} (?:en|a) (?:\w+ ){{0,2}}(?:{_COMPANY}|cripto\w*|"
        rf"bitcoin|una (?:accion|empresa))",
        rf"(?:mis|los|mi) (?:ahorros?|capital|indemnizacion|herencia|aguinaldo)(?: \w+){{0,6}} (?:en|a) (?:\w+ "
        rf"){{0,2}}(?:{_COMPANY}|cripto\w*|bitcoin|btc|"
        rf"ethereum|una (?:sola )?(?:accion|empresa)|memecoins?|acciones de \w+)",
        r"(?:me la juego|jugarmela|all ?in|voy con todo)(?: \w+){0,8}",
        rf"vend\w+ (?:todo|mi (?:casa|auto|depto|departamento))(?: \w+){{0,6}} {_VOLATILE}",
    ),
    Unsuitable.SPECULATION: any_of(
        r"(?:dato|datito|datazo)(?: \w+){0,5} (?:accion|acciones|cripto\w*|bolsa|inv[ie]+rt\w*)",
        r"(?:accion|acciones|cripto\w*|papel|moneda|bono)(?: \w+){0,3} que (?:seguro )?(?:va a |vaya a )?(?:sub|"
        r"explot|duplic|multiplic)\w*",
        r"(?:apalanc\w+|forex|opciones binarias|day ?trading|scalping|copy ?trading|(?:robots?|bots?) de trading|"
        r"futuros de|x\d{2,3}|memecoins?|"
        r"señales de trading|grupo de señales)(?: \w+){0,10}",
        r"vivir de(?:l)? (?:la bolsa|trading|las inversiones|cripto)",
        r"(?:hacerme|volverme|ser) (?:rico|millonari[oa])|(?:ganar|hacer) (?:plata|guita|dinero) (?:facil|rapido|"
        r"rapida)",
        r"(?:duplicar|triplicar|multiplicar)(?: \w+){0,5} (?:en|dentro de) (?:\w+ ){0,2}(?:dias?|semanas?|mes(?:es)?|"
        r"poco tiempo)",
        r"recuperar(?: \w+){0,6} (?:rapido|ya|perdid[oa]|perdi)(?: \w+){0,6} (?:" + _VOLATILE + r"|arriesg\w+|"
        r"invirtiendo)",
    ),
}
_YIELD_TALK = any_of(
    r"garanti\w+|asegur\w+|segur[oa]s?|fij[oa]s?|prome\w+|ofre\w+|paga\w*|dan?|rinde\w*|gan\w+|sin riesgo|retorno\w*|"
    r"rendimiento\w*|"
    r"interes\w*|ganancia\w*|plataforma|app|grupo|conocido|amigo|instagram|telegram|whatsapp|bot|robot|financiera|"
    r"fideicomiso|lider|referid\w+"
)
_GUARANTEED = any_of(
    r"(?:garanti\w+|asegurad[oa]s?|sin riesgos?|riesgo cero|100 ?% segur[oa]|imposible perder|no se pierde|nunca "
    r"(?:se )?pierde)(?: [\w%]+){0,10}"
)
_PROMISED = any_of(
    r"(?:promet|asegur|garanti|ofrec|pag)\w*(?: [\w%]+){0,6} (?:ganancias?|interes(?:es)?|rentas?|ingresos?|"
    r"rendimientos?)(?: \w+){0,2} "
    r"(?:fij|segur|garantizad|asegurad)[oa]s?",
    r"(?:da|dan|devuelv\w+|paga\w*|gan\w+|tenes) el (?:doble|triple)|(?:doble|triple) en (?:\w+ ){0,2}(?:dias?|"
    r"semanas?|mes(?:es)?)",
)
_OF_MONEY = re.compile(r"%|rend|rind|gan|retorn|interes|inver|duplic|dolar|plata")
_BANK_PRODUCT = any_of(r"plazos? fijos?|lecaps?|caucion\w*|money market|cuenta remunerada|banco nacion|letras?")
_MINOR = any_of(
    r"(?:tengo|soy (?:un|una) (?:chico|chica|pibe) de|cumpli|voy a cumplir) (?:[89]|1[0-7])(?= *$| \.| (?:años?|y|"
    r"pero|quiero|como|puedo)\b)",
    r"soy menor(?: de edad)?|todavia no cumpli (?:los )?18|no tengo 18",
)
_ADULT_PRODUCT = any_of(rf"{_INVEST}|{_RISKY}|plata|ahorr\w+|cuenta comitente|broker|billetera|tarjeta|plazo fijo")
# Yields that no honest business pays, as fractions.
_ABSURD_A_MONTH = Decimal("0.10")
_ABSURD_A_MONTH_IN_DOLLARS = Decimal("0.02")
_ABSURD_A_YEAR_IN_DOLLARS = Decimal("0.20")
_IN_DOLLARS = any_of(r"dolar(?:es)?|usd|usdt|cripto\w*|bitcoin|btc|stablecoins?|tether")
_OFTEN = re.compile(
    r"\d+(?:[.,]\d+)? ?(?:%|por ?ciento) ?(?:\w+ ){0,4}?(?:diari\w+|por dia|al dia|seman\w+|por "
    r"semana|a la semana|cada semana|en \d+ dias|en una semana)"
)
_A_MONTH = re.compile(
    r"(?:%|por ?ciento) ?(?:\w+ ){0,4}?(?:mensual\w*|por mes|al mes|cada mes|todos los meses)|"
    r"(?:por mes|mensual|cada mes)(?: \w+){0,5} \d+ ?(?:%|por ?ciento)"
)


# Families that make a wish of a kind wherever they stand in a short message.
_MAX_TOGETHER_WORDS = 45
_TOGETHER: dict[Unsuitable, tuple[re.Pattern[str], ...]] = {
    Unsuitable.NEEDED_SOON: (any_of(_NEED), any_of(_SOON), any_of(rf"{_VOLATILE}|bonos? a \d+ años")),
    Unsuitable.BORROWED: (
        any_of(r"prestamos?|creditos?|endeud\w+|prestad[oa]s?|hipotec\w+|limite de la tarjeta|adelanto"),
        any_of(rf"inv[ie]+rt\w*|{_VOLATILE}|comprar dolares"),
        any_of(r"saco|sacar|saque|pido|pedir|tomo|tomar|uso|usar|con|aprovech\w+|para"),
    ),
    Unsuitable.PANIC: (
        any_of(_FALL),
        any_of(_SELL),
        any_of(r"acciones|cedears?|bonos?|cripto\w*|bitcoin|cartera|portafolio|fondos?|inversion(?:es)?|todo|todas?"),
        any_of(r"mis?|me|quiero|tengo|conviene|mejor|estoy"),
    ),
}


def unsuitable_in(message: str, situation: Situation) -> Unsuitable | None:
    """The weightiest reason why what ``message`` wishes does not suit the person, ``None`` when there is none."""
    said = words_of(message)
    if _GENERAL.match(said) and not re.search(r"\b(?:mis?|me (?:ofre|prom|conviene)|quiero|tengo)\b", said):
        return None
    said = _NEGATED.sub(" ", said)
    if _promises_too_much(said, message):
        return Unsuitable.ABSURD_YIELD
    if not _OWN.search(said):
        return None
    return next((kind for kind in Unsuitable if _is(kind, said, situation)), None)


def _is(kind: Unsuitable, said: str, situation: Situation) -> bool:
    if kind is Unsuitable.ABSURD_YIELD:  # looked for before: it needs no wish
        return False
    if kind is Unsuitable.MINOR:
        is_minor = bool(_MINOR.search(said)) or (situation.age is not None and situation.age < 18)  # noqa: PLR2004
        return is_minor and bool(_ADULT_PRODUCT.search(said))
    if kind is Unsuitable.NEEDED_SOON and _is_soon(situation) and _wants_volatile(said):
        return True
    families = _TOGETHER.get(kind, ())
    is_together = (
        bool(families) and len(said.split()) <= _MAX_TOGETHER_WORDS and all(one.search(said) for one in families)
    )
    return is_together or bool(_PATTERNS[kind].search(said))


def _is_soon(situation: Situation) -> bool:
    return situation.horizon_months is not None and situation.horizon_months <= LIQUID_ONLY_MONTHS


_WANTS_VOLATILE = any_of(
    rf"(?:quiero|voy a|conviene|puedo|pienso|invierto|invertir|pongo|poner|meto|meter|compro|comprar)(?: \w+){{0,6}} "
    rf"(?:en |de )?{_VOLATILE}"
)


def _wants_volatile(said: str) -> bool:
    return bool(_WANTS_VOLATILE.search(said))


def _promises_too_much(said: str, message: str) -> bool:
    """Whether a yield is spoken of that is guaranteed, or beyond what an honest business pays."""
    if _BANK_PRODUCT.search(said) and not re.search(r"garanti|sin riesgo", said):
        return False
    if _PROMISED.search(said) or (_GUARANTEED.search(said) and _OF_MONEY.search(said)):
        return True
    return bool(_YIELD_TALK.search(said)) and _is_absurd(said, plain(message))


def _is_absurd(said: str, text: str) -> bool:
    """Whether a percentage of ``text`` is one that no honest business pays in the time that it is said to take."""
    told = figures_in(text)
    if not told.percents or _OFTEN.search(text):
        return bool(told.percents)
    rate, in_dollars = max(told.percents), bool(_IN_DOLLARS.search(said))
    if _A_MONTH.search(text):
        return rate >= (_ABSURD_A_MONTH_IN_DOLLARS if in_dollars else _ABSURD_A_MONTH)
    return in_dollars and rate >= _ABSURD_A_YEAR_IN_DOLLARS and bool(re.search(r"anual|por año|al año", text))
