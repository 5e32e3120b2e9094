"""What the advisor's side says: prompts, the embedded advisor's own sentences, the fallback, the portfolio line."""

from __future__ import annotations

# --- The person's profile and first message, as the RAG service reads them (services/sessions/prompt.py) ---

PROFILE_LABELS: dict[str, str] = {
    "nivel_educativo": "Nivel educativo",
    "conocimiento_alt_inversion": "Conocimiento de alternativas de inversión",
    "experiencia_invirtiendo": "Experiencia invirtiendo",
    "porcentaje_ahorro_mensual": "Porcentaje de sus ingresos que ahorra por mes",
    "porcentaje_ahorro_invertir": "Porcentaje de sus ahorros que invertiría",
    "tiempo_mantener_inversion": "Tiempo que mantendría una inversión",
    "busca_invertir_en": "Qué busca al invertir",
    "proporcion_inversion_mantener": "Qué haría si su inversión cayera",
}
AGE = "Edad: {years} años."
SESSION_PURPOSE = "Propósito de la sesión: {purpose}."
SESSION_GOAL = "Objetivo: {goal}."
SESSION_CAPITAL = "Capital inicial: {capital}."
SESSION_HORIZON = "Horizonte temporal: {horizon}."
SESSION_RISK = "Tolerancia al riesgo: {risk}."

FIRST_INPUT_PURPOSE = "Quiero {purpose}. ¿Por dónde me conviene empezar?"
FIRST_INPUT_GOAL = "Mi objetivo es {goal}.{facts} ¿Qué me recomendás?"
FIRST_INPUT_FACTS = " Tengo {facts}."
FACT_CAPITAL = "un capital inicial de {capital}"
FACT_HORIZON = "un horizonte de {horizon}"
FACT_RISK = "una tolerancia al riesgo {risk}"

# --- A session without a name of its own (services/sessions/use_cases.py) ---

SESSION_TITLE = "({when}, n.º {number}) {topic}"

# --- The portfolio as a sentence (services/advice/portfolio.py) ---

RISK_PROFILES: dict[str, str] = {"conservative": "conservador", "moderate": "moderado", "bold": "audaz"}
PORTFOLIO = "**Portafolio sugerido (perfil {profile}):** {assets}."
PORTFOLIO_ASSET = "{asset} {weight}"
PORTFOLIO_FIGURES = (
    " Según datos de 1990 a 2023 en dólares, rindió en promedio {expected_return} anual con una volatilidad de "
    "{volatility}; el pasado no garantiza resultados futuros."
)

# --- When no answer could be had, or only a part of one (services/assistants) ---

FALLBACK = (
    "En este momento no pude preparar una respuesta completa: el servicio de asesoría no está disponible. "
    "Tu mensaje quedó guardado, pero sin respuesta: volvé a mandarlo en unos minutos.\n\n"
    "Mientras tanto, si la decisión puede esperar, no te apures: pocas decisiones de ahorro o inversión empeoran "
    "por tomarlas un rato después y con mejor información."
)
FALLBACK_LEAD = (
    "En este momento el servicio de asesoría no está disponible, así que te contesta nuestro asesor integrado. Más "
    "tarde podés pedir la respuesta completa.\n\n"
)
CUT_OFF = "\n\nLa respuesta se cortó acá: el servicio de asesoría dejó de contestar. Podés pedirla de nuevo."
TOO_LONG = "La respuesta se cortó acá porque se hizo muy larga. Pedime que siga y continúo."
REFUSED = "Con eso no te puedo ayudar. Si querés, contame qué necesitás resolver con tu plata y lo vemos."
UNANSWERED = {
    "pendiente": "Esta respuesta todavía se está preparando.",
    "interrumpida": "Esta respuesta quedó sin terminar. Volvé a mandar tu mensaje.",
    "detenida": "Detuviste esta respuesta antes de que empezara.",
}

# --- The embedded advisor (clients/rag) ---

CRIME = (
    "Con eso no te puedo ayudar: es un delito. Si lo que necesitás es regularizar tu situación o pagar lo que "
    "corresponde y nada más, consultá a un contador matriculado."
)
GREETING = (
    "¡Hola! Puedo ayudarte a ordenar tus gastos, armar un fondo de emergencia, entender cómo funcionan las inversiones "
    "y planificar una meta de ahorro. ¿Por dónde querés empezar?"
)
ABOUT = (
    "¡Hola! Soy el asesor integrado de Maverik: un programa que responde con artículos propios y algunas cuentas, sin "
    "un modelo de lenguaje. Puedo explicarte cómo ahorrar, invertir, salir de deudas o llegar a una meta; no compro ni "
    "vendo nada por vos y no reemplazo a un profesional. ¿Qué querés saber?"
)
THANKS = "¡De nada! Si te queda alguna duda sobre ahorro o inversión, preguntame cuando quieras."
GOODBYE = "¡Hasta luego! Tu conversación queda guardada: cuando quieras, la seguimos."
CONTINUE = "Dale. Si querés seguir con «{title}», pedime más detalles; si no, preguntame por otro tema."
WHAT_NEXT = (
    "Dale. Contame qué querés saber: por ejemplo, cómo armar un presupuesto, en qué invertir o cómo salir de deudas."
)
HUMAN = (
    "Soy un programa y acá no hay una persona que pueda atenderte. Para hablar con alguien, buscá un asesor o un "
    "agente inscripto ante la CNV (el registro público está en su sitio oficial) o pedí una entrevista en tu "
    "banco; para impuestos, un contador matriculado."
)
YOUR_DATA = (
    "Para responderte uso tres cosas: tu perfil de inversor, lo que cargaste en esta sesión (por ejemplo la meta, el "
    "capital y el plazo) y lo que escribís acá. No veo tus cuentas, tus tarjetas ni tus claves, y nunca te las voy a "
    "pedir: no las escribas en el chat."
)
YOU_ASKED = "En esta sesión me preguntaste: {questions}. ¿Con cuál seguimos?"
YOU_ASKED_NOTHING = "Todavía no me preguntaste nada en esta sesión. ¿Qué querés saber?"
QUOTED = "«{question}»"
INSULT = "Lamento que la respuesta no te haya servido. Decime con otras palabras qué necesitás y lo intento de nuevo."
ONLY_SPANISH = (
    "Sólo hablo español: escribime tu pregunta en español y te respondo. / "
    "I only speak Spanish: please ask me your question in Spanish."
)
OFF_TOPIC = (
    "Esa consulta queda fuera de lo que sé: sólo puedo ayudarte con finanzas personales. Si querés, contame qué meta "
    "de ahorro tenés o preguntame, por ejemplo, cómo armar un presupuesto, qué es un plazo fijo o cómo diversificar."
)
NOT_UNDERSTOOD = (
    "No estoy seguro de haberte entendido; sólo sé de finanzas personales. Si es sobre «{title}», preguntámelo con "
    "otras palabras o pedime más detalles."
)
MORE_OF_WHAT = (
    "¿Sobre qué tema querés que te cuente más? Nombralo (por ejemplo «plazo fijo» o «deudas») y te lo explico."
)
NOTHING_MORE = "Sobre «{title}» ya te mostré todo lo que tengo. Podés preguntarme algo más puntual o pasar a otro tema."
SIMPLER = "En una frase: {sentence}"
# How an article's example starts.
EXAMPLE = "Ejemplo "
UNDER_TITLE = "**{title}.** {text}"
NO_QUOTES = (
    "No tengo cotizaciones ni tasas del momento. El precio de una acción o un bono lo ves en la aplicación de tu "
    "bróker o en BYMA; el dólar y las tasas, en tu banco y en el sitio del Banco Central."
)
NO_OPINION_ON_COMPANIES = (
    "No doy opiniones sobre una empresa en particular: nadie sabe qué va a hacer su precio. Antes de comprar conviene "
    "mirar cómo gana plata, cuánto debe, qué tan cara está frente a sus ganancias, qué parte de tus ahorros pondrías "
    "en ella sola y si no te alcanza con un fondo o un ETF que ya la incluya."
)
PORTFOLIO_FROM = (
    "Un portafolio sale de toda tu situación: el plazo, cuánto riesgo tolerás, qué harías ante una caída, tu "
    "experiencia, "
    "tu edad y lo que buscás; decide siempre lo más prudente. Si algo de eso cambió, contámelo o corregilo en tu "
    "perfil y "
    "lo rehago."
)
SOURCES = "*Fuentes: {titles}.*"
DISCLAIMER = (
    "*Soy el asesor integrado de Maverik y respondo con artículos propios, sin un modelo de lenguaje. Es información "
    "general: no reemplaza el asesoramiento profesional personalizado.*"
)
YOUR_CASE = "**En tu caso:** {advice}"

GOAL_CASE = "Con la meta de {goal}, conviene separar ese dinero del de todos los días y revisar el avance cada mes."
# Up to how many months a horizon counts as short or medium; beyond, it is long.
SHORT_HORIZON_MONTHS = 12
MEDIUM_HORIZON_MONTHS = 60
HORIZON_CASES = {
    "short": "Con un horizonte de {horizon} pesa más la liquidez que el rendimiento: evitá lo que pueda caer justo "
    "cuando necesites la plata.",
    "medium": "Con un horizonte de {horizon} podés combinar instrumentos de renta fija con una porción menor de "
    "activos más volátiles, e ir bajando el riesgo a medida que se acerca la fecha.",
    "long": "Con un horizonte de {horizon} tenés tiempo para atravesar caídas del mercado, siempre que tu fondo de "
    "emergencia esté aparte.",
}
# The catalogue's texts for how long a person would keep an investment.
HOLDING_SPANS = {
    "Menos de 1 año": "short",
    "Entre 1 y 5 años": "medium",
    "Entre 5 y 10 años": "long",
    "Más de 10 años": "long",
}
RISK_CASES = {
    "baja": "Como tu tolerancia al riesgo es baja, elegí primero lo que te deje dormir tranquilo y resignate a un "
    "rendimiento más modesto.",
    "media": "Como tu tolerancia al riesgo es media, una cartera equilibrada y diversificada suele ser más fácil de "
    "sostener que una muy agresiva.",
    "alta": "Como tu tolerancia al riesgo es alta, podés darle más lugar a las acciones, pero diversificadas y sin "
    "plata que vayas a necesitar pronto.",
}
BEGINNER_CASE = "Como estás dando los primeros pasos, empezá con montos chicos e instrumentos que puedas explicar."
EXPERT_CASE = (
    "Como ya tenés experiencia, lo que más suma es revisar costos e impuestos, cuánto se parecen entre sí tus activos "
    "y si el peso de cada uno sigue siendo el que elegiste."
)
SELLS_IN_A_FALL_CASE = "Como ante una caída preferirías vender, conviene que tu cartera oscile poco desde el principio."
BEGINNER_LEVELS = ("Nulo", "Poco")
EXPERT_LEVELS = ("Experto", "Avanzada")
SELLER_START = "Me retiro"

CURRENCY_SIGNS = {"ars": "$", "usd": "US$"}
CURRENCY_NAMES = {"ars": "pesos", "usd": "dólares"}
PROJECTION = (
    "**Cuentas para tu meta:** en {horizon}, con {contributions}, reunirías {saved} sin ningún rendimiento. Con un "
    "rendimiento real hipotético de {rate} anual (por encima de la inflación, capitalizado por mes y con aportes a fin "
    "de mes) llegarías a {projected}, medido en poder de compra de hoy y antes de comisiones e impuestos. Es una "
    "cuenta, no una promesa."
)
REQUIRED_SAVING = (
    "**Cuentas para tu meta:** para juntar {target} en {horizon}{start} tenés que ahorrar {plain} por mes sin ningún "
    "rendimiento. Con un rendimiento real hipotético de {rate} anual (por encima de la inflación, capitalizado por mes "
    "y con aportes a fin de mes) alcanzaría con {monthly} por mes, medido en poder de compra de hoy y antes de "
    "comisiones e impuestos. Es una cuenta, no una promesa."
)
TIME_NEEDED = (
    "**Cuentas para tu meta:** para juntar {target} con {contributions} necesitás {plain} sin ningún rendimiento. Con "
    "un rendimiento real hipotético de {rate} anual (por encima de la inflación, capitalizado por mes y con aportes a "
    "fin de mes) serían {months}. Es una cuenta, no una promesa."
)
TARGET_REACHED = "**Cuentas para tu meta:** con {contributions} ya llegás a {target}, sin contar ningún rendimiento."
STARTING_FROM = " a partir de {capital}"
CONTRIBUTION_CAPITAL = "tu capital inicial de {capital}"
CONTRIBUTION_MONTHLY = "un ahorro de {monthly} por mes"
ASK_MONTHLY_SAVING = " Si me contás cuánto podés ahorrar por mes, rehago la cuenta con ese aporte."
ASSUMED_CURRENCY = (
    " No sé en qué moneda está {amounts} y supuse {currency}; si es otra, decime el monto en {currency} y la rehago."
)
SUM_HINTS = {
    "unclear": "No pude leer con seguridad los montos o el plazo, y prefiero no inventar una cuenta.",
    "currencies": "Mezclaste pesos y dólares, y no tengo la cotización del momento para sumarlos.",
    "currency": "No sé en qué moneda está uno de los montos, y prefiero no suponerlo.",
    "amount": "Para hacerte la cuenta me falta un monto: cuánto ahorrás por mes o cuánto querés juntar.",
    "term": "Para hacerte la cuenta me falta el plazo.",
}
SUM_EXAMPLE = (
    "{problem} Escribime los números con cifras, una sola moneda y el plazo en meses o años; por ejemplo: «puedo "
    "ahorrar 150.000 pesos por mes durante 3 años» o «quiero juntar 20.000 dólares en 3 años»."
)
