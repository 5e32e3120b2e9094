"""Why a portfolio has the risk that it has, how its parts are held in Argentina, and what is to be known before."""

from __future__ import annotations

# By fact and ceiling; "" is for every other ceiling.
REASONS: dict[tuple[str, str], str] = {
    ("liquid", ""): "Vas a necesitar la plata dentro de {horizon}: tiene que estar disponible y no puede caer justo "
    "antes.",
    ("horizon", "conservative"): "Tu plazo es de {horizon}: es corto para esperar a que se recupere una caída grande.",
    ("horizon", "moderate"): "Tu plazo es de {horizon}: alcanza para algo de riesgo, no para mucho.",
    ("horizon", "bold"): "Tu plazo es de {horizon}: da tiempo a atravesar caídas.",
    ("no_losses", ""): "Contaste que no querés arriesgarte a perder.",
    ("reaction", "conservative"): "Dijiste que ante una caída venderías todo: conviene que oscile poco desde el "
    "principio.",
    ("reaction", "moderate"): "Dijiste que ante una caída venderías una parte.",
    ("experience", "conservative"): "Estás empezando a invertir: primero, instrumentos simples y que oscilen poco.",
    ("experience", "moderate"): "Todavía tenés poca experiencia con inversiones.",
    ("minor", ""): "Sos menor de edad: invertir tiene que hacerlo con vos una persona adulta responsable.",
    ("age", "conservative"): "A los {age} años hay menos tiempo para recuperar una pérdida.",
    ("age", "moderate"): "Por tu edad y tu plazo, conviene no tomar el riesgo más alto.",
    ("tolerance", ""): "Tu tolerancia al riesgo es {tolerance}.",
    ("no_tolerance", ""): "No contaste cuánto riesgo tolerás, así que elegí la lectura prudente.",
    ("seeks", "conservative"): "Lo que buscás es mantener el valor de tus ahorros.",
    ("seeks", "moderate"): "Lo que buscás es ganarle a la inflación con un margen razonable.",
}

# What liquid instruments are called in a portfolio, by the currency of the need ("" when it is not known): the part
# that
# is always at hand, and the part that may be placed until the date.
LIQUID_ASSETS: dict[str, tuple[str, str]] = {
    "ars": ("Fondo money market en pesos", "Lecap o caución en pesos, con vencimiento antes de tu fecha"),
    "usd": ("Fondo money market en dólares", "Letras del Tesoro de EE. UU. a menos de 3 meses"),
    "": (
        "Fondo money market (en la moneda en que vas a gastar)",
        "Letras o caución con vencimiento antes de tu fecha (en esa misma moneda)",
    ),
}

WHY = "**Por qué este riesgo y no más:** {reasons}"
HOW = "**Cómo tenerlo desde Argentina:**\n\n{parts}"
HOW_PART = "- *{asset}:* {how}"
HOW_TO_HOLD: dict[str, str] = {
    "liquid": "un fondo común money market (rescate en el día o al día siguiente), y Lecap, cauciones o letras "
    "cortas que "
    "venzan antes de que necesites la plata, en la moneda en que vas a gastarla.",
    "long_bonds": "bonos CER o un fondo que los tenga para cubrirte de la inflación en pesos; para la parte en "
    "dólares, "
    "un ETF de bonos por CEDEAR, un fondo de renta fija en dólares u obligaciones negociables de buena calidad.",
    "gold": "un CEDEAR de un ETF de oro; no hace falta comprar lingotes.",
    "volatile": "CEDEARs de ETF amplios (por ejemplo, uno que siga al S&P 500) desde tu cuenta comitente, antes que "
    "acciones sueltas.",
    "crypto": "sólo en un proveedor inscripto ante la CNV, y nada más que lo que puedas perder entero.",
}
LOSS = (
    "**Qué podrías perder en un año malo:** cerca de {loss} del total{amount}. Es una estimación a partir de las "
    "peores "
    "caídas de 1990 a 2023, y podría ser más."
)
LOSS_AMOUNT = " (unos {amount} de tus {capital})"
LOSS_LIQUID = (
    "**Qué podrías perder en un año malo:** muy poco si esperás al vencimiento (hasta {loss}); lo que sí puede pasar "
    "es "
    "que la inflación le gane al rendimiento."
)
BEFORE = "**Antes de invertir:**\n\n{warnings}"
WARNING = "- {warning}"

EMERGENCY_FUND = "Que esta plata no sea tu fondo de emergencia: apartá antes entre tres y seis meses de gastos."
COSTS = (
    "Mirá las comisiones del bróker, el mantenimiento y los impuestos; los fondos no cobran por entrar, y eso ayuda "
    "con "
    "montos chicos."
)
CONTRIBUTIONS = "Si vas a aportar por mes, repartí cada aporte igual y volvé a estos pesos una vez por año."
SMALL_CAPITAL = (
    "Con ese capital, dividirlo en muchas partes se lo comen los mínimos y las comisiones: alcanza con uno o dos "
    "fondos "
    "que ya estén diversificados."
)
NO_CAPITAL = "Todavía no hay capital para repartir: esto sirve como destino de tus primeros aportes."
CURRENCY_UNKNOWN = "No sé si tu capital está en pesos o en dólares: usá instrumentos de la moneda de tu meta."
CURRENCY_OF_NEED = "Tené esta plata en la moneda en que la vas a gastar; si no, el tipo de cambio decide por vos."
MINOR = "Sos menor de edad: abrir la cuenta y decidir tiene que hacerlo con vos tu madre, padre o tutor."
LARGE_SHARE = "Pensás invertir una parte grande de lo que ahorrás: asegurate de no tener que vender por un imprevisto."
ADJUSTED = (
    "El cálculo original tenía más riesgo del que corresponde a tu plazo y tu perfil: lo que sobraba quedó en "
    "instrumentos líquidos."
)
NOT_FOR_LOSSES = "No es una promesa: el rendimiento no está asegurado y podés recibir menos de lo que pusiste."

UNSUITED = (
    "No te muestro un portafolio esta vez: el que se calculó tenía mucho más riesgo del que corresponde a tu plazo y "
    "a tu "
    "perfil. Mientras tanto, un fondo money market en la moneda de tu meta es un lugar prudente para esperar."
)

# What an assistant is told of the risk that suits the person.
INSTRUCTION = "Riesgo adecuado: {profile}. No recomiendes nada con más riesgo. Motivos: {reasons}"
INSTRUCTION_LIQUID = " Sólo instrumentos líquidos, en la moneda en que va a gastar."
