"""What the advisor's side says: prompts, the embedded advisor's own sentences, the fallback, the portfolio line."""

from __future__ import annotations

# --- The person's profile and first message, as the RAG service reads them (services/prompt.py) ---

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

# --- The portfolio as a sentence (services/portfolio.py) ---

RISK_PROFILES: dict[str, str] = {"conservative": "conservador", "moderate": "moderado", "bold": "audaz"}
PORTFOLIO = "**Portafolio sugerido (perfil {profile}):** {assets}."
PORTFOLIO_ASSET = "{asset} {weight}"
PORTFOLIO_FIGURES = (
    " Según datos históricos en dólares, rindió {expected_return} anual con una volatilidad de {volatility}; "
    "el pasado no garantiza resultados futuros."
)

# --- When no answer could be had (services/chat.py) ---

FALLBACK = (
    "En este momento no pude preparar una respuesta completa: el servicio de asesoría no está disponible. "
    "Tu mensaje quedó guardado, pero sin respuesta: volvé a mandarlo en unos minutos.\n\n"
    "Mientras tanto, si la decisión puede esperar, no te apures: pocas decisiones de ahorro o inversión empeoran "
    "por tomarlas un rato después y con mejor información."
)
UNANSWERED = {
    "pendiente": "Esta respuesta todavía se está preparando.",
    "interrumpida": "Esta respuesta quedó sin terminar. Volvé a mandar tu mensaje.",
}

# --- The embedded advisor (clients/rag/embedded.py) ---

GREETING = (
    "¡Hola! Puedo ayudarte a ordenar tus gastos, armar un fondo de emergencia, entender cómo funcionan las inversiones "
    "y planificar una meta de ahorro. ¿Por dónde querés empezar?"
)
THANKS = "¡De nada! Si te queda alguna duda sobre ahorro o inversión, preguntame cuando quieras."
OFF_TOPIC = (
    "Esa consulta queda fuera de lo que sé: sólo puedo ayudarte con finanzas personales. Si querés, contame qué meta "
    "de ahorro tenés o preguntame, por ejemplo, cómo armar un presupuesto, qué es un plazo fijo o cómo diversificar."
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
RISK_CASES = {
    "baja": "Como tu tolerancia al riesgo es baja, elegí primero lo que te deje dormir tranquilo y resignate a un "
    "rendimiento más modesto.",
    "media": "Como tu tolerancia al riesgo es media, una cartera equilibrada y diversificada suele ser más fácil de "
    "sostener que una muy agresiva.",
    "alta": "Como tu tolerancia al riesgo es alta, podés darle más lugar a las acciones, pero diversificadas y sin "
    "plata que vayas a necesitar pronto.",
}
BEGINNER_CASE = "Como estás dando los primeros pasos, empezá con montos chicos e instrumentos que puedas explicar."
SELLS_IN_A_FALL_CASE = "Como ante una caída preferirías vender, conviene que tu cartera oscile poco desde el principio."
BEGINNER_LEVELS = ("Nulo", "Poco")
SELLER_START = "Me retiro"

PROJECTION = (
    "**Cuentas para tu meta:** en {horizon}, con {contributions}, reunirías {saved} sin ningún rendimiento. Con un "
    "rendimiento real hipotético de {rate} anual (por encima de la inflación, capitalizado por mes y con aportes a fin "
    "de mes) llegarías a {projected}, medido en poder de compra de hoy y antes de comisiones e impuestos. Es una "
    "cuenta, no una promesa."
)
CONTRIBUTION_CAPITAL = "tu capital inicial de {capital}"
CONTRIBUTION_MONTHLY = "un ahorro de {monthly} por mes"
ASK_MONTHLY_SAVING = " Si me contás cuánto podés ahorrar por mes, rehago la cuenta con ese aporte."
