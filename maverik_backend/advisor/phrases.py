"""How people say what ``intent`` tells apart: regular expressions over folded text, one way of saying it a line.

Gaps are bounded and every phrase starts at a word, so that a long text made to confuse is read in milliseconds.
"""

from __future__ import annotations

from maverik_backend.core.phrases import any_of, nothing_but

# --- crimes ----------------------------------------------------------------------------------------------------------

_MONEY = r"(?:guita|plata|dinero|dolares|pesos|fondos|capitales|activos)"
_TAXES = r"(?:impuestos?|ganancias|iva|afip|arca|bienes personales|ingresos|fisco|monotributo)"
_ITS = r"(?:(?:la|el|lo|los|las|un|una|unos|unas|mi|mis|a|algo|un poco)(?: de)? )?"
_FORGED = r"(?:billetes?|tarjetas?|recibos?|documentos?)"
CRIME = any_of(
    rf"(?:lavar|lavo|lavamos|lave) {_ITS}{_MONEY}",
    rf"(?:evado|evadir|evadimos|evadiendo)(?: \w+){{0,3}} {_TAXES}",
    r"(?:quiero|puedo|como|podria) (?:estafar|estafo|defraudar)",
    r"(?:armar|armo|hacer|montar|organizar) (?:un|una|mi) (?:estafa|ponzi|esquema ponzi|piramide|telar|phishing)",
    rf"(?:falsificar|falsifico|clonar|clono) {_ITS}{_FORGED}",
    rf"(?:hackear|hackeo|robar|robo|vaciar|vacio) {_ITS}(?:cuentas?|bancos?|homebanking|tarjetas?|plata|"
    rf"guita|jubilad\w+)",
    r"(?:comprar|compro|conseguir|consigo|hacer|usar) (?:facturas?|billetes?|recibos?) (?:truch[oa]s?|fals[oa]s?)",
    r"(?:usar|uso|poner|conseguir) (?:un )?testaferro",
    r"informacion privilegiada para (?:comprar|ganar|invertir)",
)

# --- small talk, said alone ------------------------------------------------------------------------------------------

_HELLO = (
    r"(?:h+ola+s?|buenas|buen dia|buenos dias|buenas (?:tardes|noches)|hey|holis|saludos|maverik|che|"
    r"(?:y )?(?:como (?:estas|andas|va|te va|andamos|estan)|que tal|todo bien|todo tranqui|que onda|que haces))"
)
GREETING = nothing_but(rf"{_HELLO}(?: {_HELLO})*")

_BEING = r"(?:bot|robot|persona|humano|humana|maquina|ia|inteligencia artificial|programa|chatgpt)"
_WHO = (
    r"(?:(?:y )?(?:quien|que) sos(?: vos)?|como te llamas|ayuda|ayudame|como (?:funcionas|se usa esto|funciona esto)|"
    rf"(?:y )?(?:vos )?sos (?:un |una )?{_BEING}(?: real)?|para que (?:servis|sirve esto)|"
    r"(?:que|como|en que) (?:me )?(?:podes|sabes) (?:hacer|ayudar(?:me)?)(?: por mi)?|"
    r"quien te (?:hizo|creo|programo)|(?:puedo|se puede) confiar(?: en (?:vos|esto))?|sos confiable|"
    r"de donde sacas (?:la informacion|la info|eso|esto|las respuestas|los datos))"
)
ABOUT = nothing_but(rf"(?:{_HELLO} )*{_WHO}(?: {_WHO})*")

_WELL = r"(?:ok|dale|listo|genial|perfecto|buenisimo|bueno|joya|excelente|barbaro)"
THANKS = nothing_but(
    rf"(?:{_WELL} )*(?:(?:muchas|mil|muchisimas) )?gracias(?: por todo| maverik| che| totales| igual| por la ayuda)?",
    r"genial|perfecto|buenisimo|listo|joya|excelente|barbaro",
    r"sos (?:un |una )?(?:genio|genia|crack)|me sirvio(?: mucho)?",
)
GOODBYE = nothing_but(
    r"(?:(?:ok|bueno|listo|gracias|dale) )*(?:chau+(?: chau+)*|adios|hasta (?:luego|mañana|pronto)|nos vemos|me voy)"
    r"(?: gracias| maverik)?"
)
ACKNOWLEDGES = nothing_but(
    r"(?:(?:ok|okey|okay|oka|si|no|dale|aja|bueno|claro|ya|ah|mmm+|entiendo|entendido|entendi|obvio|de una|tal cual|"
    r"sip|nop|vale|puede ser|no se|esta bien|bien|por favor|porfa|jaja\w*|jeje\w*)(?: |$))+"
)

# --- asking for more, or for less ------------------------------------------------------------------------------------

_ASKING = (
    r"(?:si|ok|dale|y|me|por favor|porfa|podes|podrias|quiero|queres|dar|dame|darme|contar|contame|contarme|decime|"
    r"explicame|explicar|explicarme|saber|mostrame|segui|hay|que|tenes|con|en|un poco|algo|mejor|eso|esto|sobre|de|del|"
    r"el|tema|cosas|info|informacion|datos|detalles?|ejemplos?|profundidad|al respecto)"
)
_MORE = r"(?:mas|otros?|segui|seguir|continua|profundiza(?:me|r)?|amplia(?:me|r)?|detalles|detallame)"
MORE = nothing_but(rf"(?:{_ASKING} )*{_MORE}(?: {_ASKING})*")

_PLAIN = r"(?:simple|facil|sencillo|claro|criollo|corto|cortito)"
_EXPLAIN = (
    r"(?:explicar|explicarlo|explicarmelo|explicarme|decirlo|decirmelo|explicame|explicamelo|explicalo|decimelo|decilo|"
    r"habla|hablame)"
)
SIMPLER = nothing_but(
    r"(?:(?:perdon|che|pero|la verdad|uh|disculpa) )*no (?:(?:te|lo|la|le|se) )?(?:entendi|entiendo|"
    r"comprendo|comprendi|"
    r"cazo|cace)(?: (?:nada|bien|mucho|eso|esto|un pomo|una goma))*",
    r"no me qued[oa] claro",
    rf"(?:(?:me|lo|podes|podrias) )*{_EXPLAIN} (?:\w+ ){{0,3}}{_PLAIN}(?: por favor| porfa)?",
    rf"(?:mas|en) {_PLAIN}(?: por favor| porfa)?",
    r"(?:explicame|explicamelo|explicalo|explicate) mejor(?: eso| esto)?",
    r"(?:(?:me|dame|das|darias|mostrame|podes dar|podes darme|tenes|quiero|con|a ver|y) )*(?:un|algun) ejemplo",
    r"(?:explicame|explicamelo|explicalo|contame) como (?:si tuviera|a un nene de) \w+(?: años)?",
    r"que queres decir(?: con (?:eso|esto))?|como seria eso",
    r"(?:es )?(?:demasiado|muy) (?:largo|complicado|dificil)",
)

# --- about the advisor and the conversation ---------------------------------------------------------------------------

HUMAN = any_of(
    r"(?:hablar|comunicarme|comunicame|pasame|contactarme|chatear|derivame|atienda|atiende) (?:(?:con|a) )?"
    r"(?:(?:un|una|algun|alguna|el|la) )?(?:persona|human[oa]|asesor\w*|representante|operador\w*|alguien|"
    r"agente|soporte|"
    r"profesional)",
)
YOUR_DATA = any_of(
    r"(?:tenes|guardas|usas|sabes|ves|conoces|accedes a|compartis|vendes) (?:todos )?(?:mis datos|mi "
    r"(?:perfil|informacion|"
    r"nombre|edad))",
    r"que (?:datos|informacion) (?:mi[ao]s? )?(?:tenes|guardas|sabes|usas)",
    r"que sabes (?:de|sobre) mi",
)
WHAT_I_ASKED = any_of(
    r"que (?:te )?(?:pregunte|dije|consulte|pedi|habia preguntado|habiamos hablado)",
    r"de que (?:hablamos|estabamos hablando|veniamos hablando)",
    r"mis? preguntas? anterior(?:es)?",
)
_INSULT = (
    r"(?:pelotud\w+|boludo|boludos|boluda|idiota|inutil|estupid\w+|forr[oa]|imbecil|tarad[oa]|mierda|"
    r"porqueria|basura|burr[oa]|"
    r"bestia|malisim[oa])"
)
INSULT = any_of(
    rf"sos (?:(?:un|una|re|muy|tan|mas|flor de|alto|alta) )*{_INSULT}",
    r"no (?:servis|sirve|servi) (?:para|de) nada",
    r"hijo de (?:puta|mil)|la concha (?:de|tuya)|andate a (?:la|cagar)|chupa(?:la|me)",
    rf"que {_INSULT}",
    rf"(?<![\w\W]){_INSULT}(?=\W*$)",
)

# --- what needs an answer of its own ----------------------------------------------------------------------------------

_PORTFOLIO = r"(?:portafolios?|portfolios?|carteras?)"
_PROPOSE = r"(?:recomend\w+|suger\w+|propon\w+)"
PORTFOLIO = any_of(
    rf"(?:que|cual|cuales) {_PORTFOLIO}(?: \w+){{0,2}} (?:me |nos )?(?:{_PROPOSE}|conviene|das|tengo|toca|armarias)",
    rf"(?:{_PROPOSE}|arma|armame|armar|armarme|dame|mostrame|cambi\w+|quiero|haceme|modific\w+)(?: "
    rf"\w+){{0,2}} {_PORTFOLIO}",
    rf"{_PORTFOLIO} (?:sugerid[oa]s?|recomendad[oa]s?|que me (?:diste|sugeriste|recomendaste|armaste))",
    rf"otr[oa] {_PORTFOLIO}",
    rf"por que (?:ese|este|esa|esta) {_PORTFOLIO}",
)
_COMPANY = (
    r"(?:tesla|apple|amazon|google|alphabet|facebook|microsoft|nvidia|netflix|coca[ -]?cola|disney|mcdonald'?s|walmart|"
    r"mercado ?libre|meli|ypf|banco (?:galicia|macro|frances|supervielle)|ggal|pampa(?: energia)?|globant|vista energy|"
    r"telecom|transener|edenor|loma negra|aluar|ternium|petrobras|intel|amd|palantir|uber|spotify|tsla|aapl|nvda)"
)
COMPANY = any_of(
    rf"que (?:opinas|pensas|onda|te parecen?|sabes)(?: \w+){{0,4}} {_COMPANY}",
    rf"(?:compr\w+|vend[eoi]\w*|invertir|invierto|conviene|recomend\w+|acciones|vale la pena)(?: "
    rf"\w+){{0,5}} {_COMPANY}",
    rf"{_COMPANY}(?: \w+){{0,4}} (?:va a|puede) (?:subir|bajar)",
    rf"{_COMPANY}(?: \w+){{0,4}} (?:sube|baja|subira|bajara|conviene|es buena inversion)",
)
_QUOTED = (
    r"(?:dolar(?:es)?|blue|mep|ccl|euro|oro|bitcoin|btc|merval|riesgo pais|al30|gd30|accion(?:es)?|cedears?|bonos?|"
    rf"{_COMPANY})"
)
_TODAY = r"(?: (?:hoy|el|la|los|las|un|una|ahora|una accion de|las acciones de|de)){0,4}"
QUOTE = any_of(
    r"(?:cuanto|como|que precio) (?:esta|estan|vale|valen|cotizan?|cerro|cerraron|sale|salen|cuestan?|"
    r"amanecio|abrio|tiene)"
    rf"{_TODAY} {_QUOTED}",
    rf"(?:precio|cotizacion|valor) (?:(?:actual|de hoy|de|del|la|las|el|los) ){{1,3}}{_QUOTED}(?: (?:hoy|"
    rf"ahora|actual))?(?=\W*$)",
    r"(?:dolar|blue|mep|bitcoin) hoy",
)

# --- English ---------------------------------------------------------------------------------------------------------

SURELY_ENGLISH = frozenset(
    ("what", "how", "should", "would", "could", "please", "hello", "hi", "thanks", "where", "when", "why", "tell",
     "does", "is", "my", "you", "the", "i")
)  # fmt: skip
ENGLISH = SURELY_ENGLISH | frozenset(
    ("do", "are", "can", "much", "have", "want", "invest", "save", "help", "with", "and", "of", "your", "this", "in",
     "english", "for", "about", "need", "i'm", "it", "buy", "money", "a", "to")
)  # fmt: skip
SPANISH = frozenset(
    ("que", "de", "la", "el", "en", "un", "una", "es", "los", "las", "y", "mi", "por", "para", "con", "como", "cuanto",
     "cual", "esta", "este", "lo", "se", "o", "al", "del", "te")
)  # fmt: skip
