"""Answers to wishes that do not suit: first no or not yet, then why, then what instead."""

from __future__ import annotations

ANSWERS: dict[str, str] = {
    "absurd_yield": (
        "No, no pongas plata ahí: un rendimiento así, o asegurado, es la señal más clara de una estafa.\n\n"
        "**Por qué:** ninguna inversión genuina puede garantizar ganancias altas, y menos todos los meses o en "
        "dólares. Al "
        "principio suelen pagar con la plata de los que entran después; cuando dejan de entrar, no se puede retirar "
        "más. Que "
        "un conocido ya haya cobrado no prueba nada.\n\n"
        "**Qué hacer en cambio:** fijate si la empresa figura en los registros públicos de la CNV y del Banco "
        "Central, no "
        "mandes dinero ni datos mientras tanto y no sumes a otras personas. Si ya pusiste plata, pedí el retiro de "
        "todo, "
        "guardá comprobantes y denunciá. Para rendimientos reales y transparentes hay fondos, bonos y plazos fijos de "
        "entidades autorizadas."
    ),
    "minor": (
        "Todavía no por tu cuenta: hasta los 18 años, invertir lo tiene que hacer con vos tu madre, tu padre o tu "
        "tutor.\n\n"
        "**Por qué:** para abrir una cuenta comitente hay que ser mayor de edad, y quien te ofrezca operar sin "
        "preguntarla, o "
        "con los datos de otra persona, te está metiendo en un problema. Además, lo que más sube rápido también "
        "puede caer "
        "entero.\n\n"
        "**Qué hacer en cambio:** hablalo en casa. Desde los 13 años hay cuentas y billeteras para adolescentes, con "
        "autorización, que pagan un rendimiento por el saldo; tu familia también puede abrir un plazo fijo o un "
        "fondo a tu "
        "nombre. Y aprender ahora cómo funciona el interés compuesto vale más que acertar una cripto."
    ),
    "others_money": (
        "No, no inviertas plata de otra persona por tu cuenta, aunque te la confíe.\n\n"
        "**Por qué:** manejar inversiones de terceros sin estar inscripto ante la CNV no está permitido, y si sale "
        "mal respondés "
        "vos: la pérdida, el vínculo y a veces un juicio. Tampoco podés saber por ella cuánto riesgo tolera ni "
        "cuándo va a "
        "necesitar la plata.\n\n"
        "**Qué hacer en cambio:** que abra una cuenta a su nombre en un agente inscripto y decida según su propio "
        "perfil; vos "
        "podés acompañar a entender las opciones. Si son fondos de un consorcio, una empresa o una herencia sin "
        "repartir, lo que "
        "corresponde es lo que decidan sus dueños por escrito, en algo líquido y prudente mientras tanto."
    ),
    "expensive_debt": (
        "Todavía no: primero conviene cancelar la deuda cara, y recién después invertir.\n\n"
        "**Por qué:** el interés de una tarjeta, un descubierto o un préstamo personal suele ser mucho más alto que "
        "lo que rinde "
        "cualquier inversión prudente. Cada peso que cancelás te ahorra ese interés con seguridad; invertirlo es "
        "apostar a "
        "ganarle.\n\n"
        "**Qué hacer en cambio:** listá tus deudas con su costo financiero total (CFT), pagá el mínimo de todas y "
        "poné todo lo que "
        "puedas en la más cara; cuando la terminás, seguí con la próxima. Pedí refinanciar a una tasa menor si no "
        "llegás. "
        "Guardá sólo un colchón chico para imprevistos, y no tomes deuda nueva mientras tanto."
    ),
    "borrowed": (
        "No, no te conviene invertir con plata prestada.\n\n"
        "**Por qué:** la cuota es segura y la ganancia no. Para empatar, la inversión tendría que rendir más que el "
        "costo total del "
        "préstamo (CFT), que suele ser muy alto; y si cae, quedás con la pérdida y con la deuda. Con una casa o un "
        "auto de "
        "garantía, además, los podés perder.\n\n"
        "**Qué hacer en cambio:** invertí sólo lo que te sobra después de tus gastos, aunque sea poco y por mes. Si "
        "ya tenés el "
        "préstamo, usá la plata para cancelarlo o reducirlo. Y si la idea vino de alguien que te apura, tomalo como "
        "una alerta."
    ),
    "emergency_fund": (
        "No, no inviertas tu fondo de emergencia ni los únicos ahorros que tenés en algo que pueda caer.\n\n"
        "**Por qué:** los imprevistos y las caídas suelen llegar juntos. Si te quedás sin trabajo o se rompe algo "
        "cuando la "
        "inversión está abajo, vas a tener que vender a pérdida o endeudarte caro.\n\n"
        "**Qué hacer en cambio:** apartá entre tres y seis meses de gastos en algo disponible y de bajo riesgo, como "
        "un fondo money "
        "market o una cuenta remunerada. Lo que ahorres por encima de eso sí se puede invertir, según tu plazo."
    ),
    "needed_soon": (
        "No: la plata que vas a necesitar pronto no conviene ponerla en nada que pueda caer.\n\n"
        "**Por qué:** acciones, CEDEARs, cripto y bonos largos pueden perder una parte grande en pocas semanas, y no "
        "habría tiempo "
        "de esperar la recuperación antes de tu fecha.\n\n"
        "**Qué hacer en cambio:** usá instrumentos líquidos, en la moneda en que vas a gastar: un fondo money market "
        "o cuenta "
        "remunerada si la fecha está cerca, o un plazo fijo, una caución o una letra (Lecap) que venza antes. Va a "
        "rendir "
        "menos, pero va a estar."
    ),
    "panic": (
        "No vendas todo por el susto: decidir en plena caída es lo que más plata hace perder.\n\n"
        "**Por qué:** vender convierte una baja en una pérdida definitiva y te deja afuera de la recuperación, que "
        "nadie sabe cuándo "
        "empieza. Las caídas fuertes son parte de invertir.\n\n"
        "**Qué hacer en cambio:** esperá unos días y hacete tres preguntas: ¿cuándo necesito esta plata?, ¿está "
        "diversificada?, ¿la "
        "compraría hoy? Si no la necesitás por años y está repartida, mantener suele ser lo razonable. Si la "
        "necesitás pronto o "
        "no dormís, bajá el riesgo de a partes y con un plan, no de golpe. Y lo que dependía de una sola empresa o "
        "cripto, "
        "conviene reducirlo igual."
    ),
    "retirement": (
        "No: cerca de la jubilación, o ya retirado, no conviene tomar ese riesgo.\n\n"
        "**Por qué:** una caída grande ahora puede tardar más en recuperarse que el tiempo que tenés, y esa plata es "
        "la que va a "
        "completar tus ingresos.\n\n"
        "**Qué hacer en cambio:** dejá líquidos los gastos de uno o dos años, poné la mayor parte en renta fija "
        "prudente (bonos CER "
        "o en dólares de buena calidad y fondos que los tengan) y, como mucho, una porción chica y diversificada en "
        "acciones. "
        "Desconfiá de quien te apure con algo que rinde mucho."
    ),
    "all_in_one": (
        "No, no conviene poner todo en un solo lugar.\n\n"
        "**Por qué:** por bueno que parezca, una empresa, una cripto, un bono o una moneda pueden caer mucho y "
        "tardar años en "
        "volver, o no volver. Si todo depende de eso, un solo error te cuesta los ahorros.\n\n"
        "**Qué hacer en cambio:** apartá primero tu fondo de emergencia; después repartí entre varios tipos de "
        "activos según tu "
        "plazo (por ejemplo, fondos, renta fija y, si el plazo es largo, un ETF amplio). Si igual querés algo "
        "puntual, que sea "
        "una parte chica, de la que podrías perder entera sin que te cambie la vida."
    ),
    "speculation": (
        "No, no te lo recomiendo: así la mayoría pierde, y rápido.\n\n"
        "**Por qué:** el apalancamiento, el trading de corto plazo y lo que promete multiplicar la plata en poco "
        "tiempo tienen "
        "comisiones, caídas bruscas y, muchas veces, plataformas sin regulación. No hay ganancia rápida sin el "
        "riesgo de "
        "perderlo todo.\n\n"
        "**Qué hacer en cambio:** si querés que crezca, lo que mejor funciona es aburrido: aportar todos los meses a "
        "algo "
        "diversificado, con costos bajos y varios años por delante. Antes, fondo de emergencia y deudas caras en "
        "cero. Si querés "
        "aprender a operar, empezá con un simulador."
    ),
}

# When the person insists, or asks why not: before the why and the what instead of the same wish.
STILL_NO = "No, mi respuesta sigue siendo la misma; te cuento por qué y qué haría en tu lugar."

# What an assistant is told of a wish that does not suit.
INSTRUCTION = (
    "Lo que la persona quiere no es adecuado para ella. Empezá diciendo que no (o todavía no), después por qué y "
    "después "
    "qué hacer en cambio; no lo propongas ni des instrucciones para hacerlo. Criterio: {answer}"
)
