"""What people in distress or danger are told: plain words and the line that helps; no advice, no disclaimer."""

from __future__ import annotations

from maverik_backend.texts import help_lines as lines

_SUICIDE = (
    f"**{lines.SUICIDE_METRO.number}** (desde CABA y Gran Buenos Aires) o **{lines.SUICIDE_NATIONAL.number}** (desde "
    "todo el país)"
)
_DANGER = f"**{lines.EMERGENCY.number}** o **{lines.MEDICAL.number}** (emergencias médicas)"

DISTRESS = (
    "Lamento mucho que estés pasando por esto, y gracias por contarlo. Ahora lo más importante sos vos, y no tenés que "
    "atravesarlo a solas: hablá hoy con una persona de confianza o con una de estas líneas, que son gratuitas y "
    "confidenciales.\n\n"
    f"- **Línea nacional de salud mental:** {lines.MENTAL_HEALTH.number}, las 24 horas, desde todo el país.\n"
    f"- **Centro de Asistencia al Suicida:** {lines.SUICIDE_METRO.number} desde CABA y Gran Buenos Aires, o "
    f"{lines.SUICIDE_NATIONAL.number} desde todo el país.\n"
    f"- **Si corrés peligro ahora:** llamá al {lines.EMERGENCY.number} o al {lines.MEDICAL.number} (emergencias "
    "médicas), o andá a la guardia más cercana.\n\n"
    "Soy un programa y no puedo acompañarte como lo haría una persona. La plata y todo lo demás pueden esperar; cuando "
    "estés mejor, acá voy a estar."
)
DISTRESS_OF_ANOTHER = (
    "Gracias por contarlo: lo que te dijo o viste hay que tomarlo siempre en serio. Quedate cerca, escuchá sin juzgar, "
    "no lo prometas como secreto y, si podés, alejá lo que pueda usar para lastimarse.\n\n"
    f"- **Si hay peligro ahora:** no le dejes a solas y llamá al {lines.EMERGENCY.number} o al {lines.MEDICAL.number}, "
    "o vayan a la guardia más cercana.\n"
    f"- **Línea nacional de salud mental:** {lines.MENTAL_HEALTH.number}, las 24 horas, desde todo el país; también "
    "orienta a familiares.\n"
    f"- **Centro de Asistencia al Suicida:** {lines.SUICIDE_METRO.number} desde CABA y Gran Buenos Aires, o "
    f"{lines.SUICIDE_NATIONAL.number} desde todo el país.\n\n"
    "Esto también pesa sobre vos: pedí ayuda para los dos. Lo de la plata puede esperar."
)
STRAIN = (
    "Lamento que estés pasando por un momento así; tener la plata encima todo el día agota a cualquiera, y no es una "
    "falla tuya. Antes que los números estás vos: contáselo hoy a una persona de confianza y, si la angustia o el "
    f"insomnio siguen, llamá a la **Línea nacional de salud mental, {lines.MENTAL_HEALTH.number}**, gratis y las 24 "
    "horas, desde todo el país.\n\n"
    f"Si en algún momento pensás en lastimarte, llamá al {_SUICIDE}.\n\n"
    "Ninguna decisión de plata hay que tomarla hoy. Cuando tengas ganas, contame qué es lo que más te preocupa y lo "
    "vemos de a un paso."
)
GAMBLING = (
    "Cuando el juego empieza a llevarse la plata o la tranquilidad no es falta de voluntad: es un problema de salud, y "
    "se trata. No hay sistema ni apuesta que devuelva lo perdido; intentar recuperarlo es lo que más lo agranda.\n\n"
    f"- **Juego compulsivo:** {lines.GAMBLING.number}, gratis, en la provincia de Buenos Aires.\n"
    f"- **Línea nacional de salud mental:** {lines.MENTAL_HEALTH.number}, las 24 horas, desde todo el país; también "
    "para familiares.\n"
    f"- **SEDRONAR:** {lines.ADDICTIONS.number}, adicciones, desde todo el país.\n\n"
    "Ayuda mucho pedirle a una persona de confianza que maneje tus cuentas y tarjetas por un tiempo y anotarte en el "
    "registro de autoexclusión de tu provincia. Si juega alguien de tu familia, estas líneas también te orientan a "
    "vos.\n\n"
    f"Y si alguna vez pensás en lastimarte, llamá al {_SUICIDE} o al {lines.EMERGENCY.number}."
)
THREATS = (
    "Lo primero es tu seguridad: una amenaza es un delito, también cuando la deuda existe. Nadie puede cobrarte con "
    "miedo, y no se va preso por deber plata.\n\n"
    f"- **Si hay peligro ahora:** llamá al **{lines.EMERGENCY.number}**.\n"
    "- **Denunciá** en la comisaría o la fiscalía más cercana; si fue por teléfono o por redes, también en la fiscalía "
    "especializada en ciberdelincuencia (UFECI).\n"
    "- **Guardá** mensajes, audios, números y comprobantes, y no vayas a encontrarte a solas con nadie.\n"
    "- **No pagues bajo amenaza** ni tomes otro préstamo para hacerlo.\n\n"
    "Contáselo hoy a una persona de confianza. Si el miedo no te deja vivir, la **Línea nacional de salud mental, "
    f"{lines.MENTAL_HEALTH.number}**, atiende gratis las 24 horas."
)
VIOLENCE = (
    "Lamento que estés viviendo esto. Que te controlen o te quiten la plata, no te dejen trabajar o te hagan firmar "
    "cosas por miedo es una forma de violencia, se llama violencia económica, y no es culpa tuya.\n\n"
    f"- **Línea {lines.GENDER_VIOLENCE.number}:** violencia por motivos de género, gratis, las 24 horas, en todo el "
    "país. Te escuchan y te orientan, aunque no quieras denunciar.\n"
    f"- **Línea {lines.FAMILY_VIOLENCE.number}:** violencia familiar y sexual, gratis, las 24 horas; atiende a "
    "cualquier persona.\n"
    f"- **Si corrés peligro ahora:** **{lines.EMERGENCY.number}**.\n\n"
    "Si podés hacerlo sin riesgo, guardá tu documento y copias de papeles importantes con una persona de confianza y "
    "borrá esta conversación si otra persona usa tu teléfono."
)
ELDER = (
    "Lo que contás se llama abuso económico contra una persona mayor, y se puede frenar: la jubilación y los bienes "
    "son de quien los tiene a su nombre, aunque necesite ayuda para manejarlos.\n\n"
    f"- **Línea {lines.FAMILY_VIOLENCE.number}:** violencia familiar, gratis, las 24 horas, en todo el país; también "
    "orienta a familiares y vecinos.\n"
    f"- **Si hay peligro ahora:** **{lines.EMERGENCY.number}**.\n"
    "- **Para frenar el daño:** avisar al banco para que bloquee tarjetas y cambie claves, a ANSES si otra persona "
    "cobra el haber, y denunciar en la comisaría o la fiscalía; el defensor oficial atiende gratis.\n\n"
    "Guardá lo que lo muestre: movimientos, mensajes, papeles firmados. Y que la persona mayor no quede a solas con "
    "quien la presiona."
)
FRAUD = (
    "Lamento lo que te pasó; le pasa a gente muy atenta y no es culpa tuya. Lo primero es frenar el daño, y cada "
    "minuto "
    "cuenta:\n\n"
    "1. **Bloqueá:** avisá ya a tu banco o billetera, por la aplicación o por el teléfono de su página oficial, y pedí "
    "que bloqueen cuentas y tarjetas. Si te robaron el celular, pedile también a tu operadora que bloquee la línea.\n"
    "2. **Desconocé:** reclamá por escrito cada movimiento que no hiciste y guardá el número de reclamo.\n"
    "3. **Cambiá las claves** desde otro dispositivo, primero la del correo, y cerrá las sesiones abiertas.\n"
    "4. **Denunciá** en la comisaría o la fiscalía, con capturas, comprobantes y números de cuenta; la fiscalía "
    "especializada en ciberdelincuencia (UFECI) recibe denuncias en denunciasufeci@mpf.gob.ar.\n"
    "5. **Si la entidad no responde,** reclamá ante el Banco Central y Defensa del Consumidor; si era una inversión, "
    "también ante la CNV.\n\n"
    "**No mandes más plata:** nadie que pida un pago o una clave para devolverte lo perdido te está ayudando. Y si "
    "esto "
    f"te angustia mucho, la **Línea nacional de salud mental, {lines.MENTAL_HEALTH.number}**, atiende gratis las 24 "
    "horas."
)
MEDICAL = (
    f"Esto es una emergencia: llamá ya al {_DANGER}, o pedile a quien tengas cerca que llame y vayan a la guardia más "
    "cercana. No esperes a ver si pasa y no cortes hasta que te lo digan; ellos te indican qué hacer mientras "
    "llegan.\n\n"
    "Con o sin obra social, la guardia de un hospital público atiende gratis. Lo demás puede esperar."
)
CHILD = (
    "Gracias por contarlo: hiciste bien, y nada de eso es culpa de la chica o del chico que lo vive. Ninguna persona "
    "grande puede pegar, tocar, pedir fotos, obligar a trabajar ni dejar sin cuidado a un menor.\n\n"
    f"- **Línea {lines.CHILDREN.number}:** para chicas, chicos y adolescentes, y para quien sepa de algo así. Es "
    f"gratis "
    "y confidencial.\n"
    f"- **Línea {lines.FAMILY_VIOLENCE.number}:** violencia familiar y sexual, gratis, las 24 horas.\n"
    f"- **Si hay peligro ahora:** **{lines.EMERGENCY.number}**.\n\n"
    "Contáselo hoy también a una persona adulta de confianza: alguien de la familia, de la escuela o del centro de "
    "salud. No borres mensajes ni fotos: sirven para que lo frenen."
)

# Later in such a conversation, when what is said is no question of its own.
STILL = (
    "Sigo acá, aunque para esto hace falta una persona. Si todavía no lo hiciste, {help}. Lo de la plata puede esperar."
)
STILL_FRAUD = (
    "Lo importante sigue siendo frenar el daño: {help}. Recuperar lo perdido depende del banco y de la denuncia; "
    "cuanto "
    "antes reclames por escrito, más chances hay, aunque nadie puede asegurarlo. Desconfiá de quien te ofrezca "
    "recuperarlo a "
    "cambio de un pago."
)
# Later in such a conversation, before an answer about something else.
REMINDER = "Antes que nada, por lo que me contaste: {help}."

HELP = {
    "distress": f"llamá a la Línea nacional de salud mental, **{lines.MENTAL_HEALTH.number}**, o al Centro de "
    f"Asistencia "
    f"al Suicida, {_SUICIDE}; si corrés peligro ahora, {_DANGER}",
    "distress_of_another": f"llamá a la Línea nacional de salud mental, **{lines.MENTAL_HEALTH.number}**, que también "
    f"orienta a familiares; si hay peligro ahora, {_DANGER}",
    "strain": f"si la angustia sigue, la Línea nacional de salud mental, **{lines.MENTAL_HEALTH.number}**, atiende "
    "gratis las 24 horas",
    "gambling": f"llamá al **{lines.GAMBLING.number}** (juego compulsivo, provincia de Buenos Aires) o a la Línea "
    f"nacional de salud mental, **{lines.MENTAL_HEALTH.number}**",
    "threats": f"denunciá las amenazas en la comisaría o la fiscalía; si hay peligro "
    f"ahora, **{lines.EMERGENCY.number}**",
    "violence": f"llamá a la Línea **{lines.GENDER_VIOLENCE.number}** o a la **{lines.FAMILY_VIOLENCE.number}**; si "
    f"corrés peligro ahora, **{lines.EMERGENCY.number}**",
    "elder": f"llamá a la Línea **{lines.FAMILY_VIOLENCE.number}**; si hay peligro ahora, **{lines.EMERGENCY.number}**",
    "fraud": "avisá ya a tu banco o billetera, denunciá y no mandes más plata",
    "medical": f"llamá ya al {_DANGER}, o vayan a la guardia más cercana",
    "child": f"llamá a la Línea **{lines.CHILDREN.number}**; si hay peligro ahora, **{lines.EMERGENCY.number}**",
}

INJECTION = (
    "Con eso no te puedo ayudar: trabajo siempre con las mismas reglas, no las muestro y un mensaje no las cambia. "
    "Puedo ayudarte con tus finanzas personales: contame qué querés saber sobre ahorro, deudas o inversiones."
)

# --- What is put in the place of what an answer may not say (services/safety/output.py) ---

NO_PROMISES = "(Acá saqué una promesa de ganancia: ningún rendimiento futuro está asegurado.)"
LEAKED = "(La respuesta se cortó acá porque dejaba de ser para vos.)"

# --- What an assistant is told about the conversation (services/safety/gate.py) ---

INSTRUCTIONS = {
    "distress": "La persona contó que piensa en morir o está muy mal. Sé breve y amable, no propongas inversiones ni "
    "productos y no le quites peso a lo que contó.",
    "distress_of_another": "La persona contó que alguien cercano piensa en morir. Sé breve y amable, no propongas "
    "inversiones ni productos.",
    "strain": "La persona contó que la plata la angustia. Sé amable, andá de a un paso y no propongas riesgos.",
    "gambling": "La persona tiene un problema con el juego. No propongas nada especulativo, ni crédito, ni cómo "
    "recuperar lo perdido.",
    "threats": "A la persona la amenazan por una deuda. No propongas inversiones ni otro préstamo.",
    "violence": "La persona vive violencia económica. No propongas inversiones ni nada que otra persona pueda ver.",
    "elder": "Hay abuso económico contra una persona mayor. No propongas inversiones.",
    "fraud": "La persona fue víctima de un fraude. No propongas inversiones ni que mande más plata.",
    "medical": "Hay una emergencia médica. No propongas nada más que pedir ayuda.",
    "child": "Hay un menor en riesgo. No propongas nada más que pedir ayuda.",
}
