"""How people say that they are in danger or in trouble: patterns over :func:`~maverik_backend.core.phrases.words_of`.

Each pattern joins word families (who, does what, to what), not sentences. :data:`FIGURES` are figures of speech, taken
out of a text before the others are looked for.
"""

from __future__ import annotations

from maverik_backend.core.phrases import any_of

_VERY = r"(?:(?:muy|re|tan|bastante|super|bien|completamente|totalmente|medio|mas) ){0,2}"
_FEELS = r"(?:estoy|ando|me siento|me senti|vivo|quede|sigo)"
_DEBTS = r"(?:deud\w*|deb(?:o|emos|iendo|er)|cuotas?|acreedor\w*|prestam\w*)"
_CASH = r"(?:plata|guita|dinero|ahorros?|sueldos?|pesos?|dolares|jubilacion|aguinaldo|salario|peso|cash|fondos)"
_MONEY_TROUBLE = (
    rf"(?:{_DEBTS}|{_CASH}|tarjetas?|resumen(?:es)?|homebanking|banco|cuentas?|gast\w*|fin de mes|alquiler|un mango)"
)

# --- figures of speech -----------------------------------------------------------------------------------------------

_ANNOYANCE = (
    r"(?:banco|app|aplicacion|homebanking|comision(?:es)?|tarjetas?|tramites?|afip|arca|impuestos?|precios?|tarifas?|"
    r"dolar|calor|transito|trafico|mercado|broker|billetera|sistema|inflacion|cotizacion|resumen|expensas|luz|gas|"
    r"internet|turno|partido|jefe|laburo|subi\w*|sub[ae]\w*|baj[aoe]\w*|vendi\w*|compre|tasas?|cajero|colectivo|"
    r"papeles|burocracia|formularios?|contador|gobierno|cepo)"
)
_DIE = r"(?:mat(?:ar|o|aria|arme)|mor(?:ir|irme)|muero|pegar un tiro|pego un tiro|ahorcar|ahorco|colgar|suicid\w+)"
FIGURES = any_of(
    r"ap(?:ue|o)st\w+ (?:a que|fuerte|por (?:el|la|los|las|mi|un))(?: \w+){0,3}",
    rf"(?:me )?(?:quier[oe]|quise|queria|dan ganas de|voy a|va a|se quiere|podria)? ?(?:re )?{_DIE}"
    rf"(?: (?!deb|deud|perdi|vivir|pastilla|\.)\w+){{1,5}}? {_ANNOYANCE}",
    rf"{_DIE}(?: (?!deb|deud)\w+){{0,8}} j(?:[aeiou]j)+\w*",
    r"mor\w+ del? (?!deud|tristeza|dolor|pena|angustia|soledad)\w+",
    r"muer[eot]\w* (?:de|por) (?!deud|tristeza|dolor|pena|angustia|soledad)\w+",
    r"mori\w* (?:rico|rica|viej\w|pobre|millonari\w|tranquil\w)",
    r"suicid\w+ (?:financier|economic|comercial|politic|laboral|fiscal|empresari)\w*",
    r"(?:un|es|seria) suicid\w+ (?:invert|compr|vend|met|pon|sal|endeud|sac|tom|hac|apost)\w*",
    r"como (?:jugar|apostar|ir|una?|en|si fuera)(?: \w+){0,3} (?:casino|timba|ruleta|bingo|quiniela)",
)
# A sentence that asks what something is, and tells nothing of the person.
DEFINITION = any_of(
    r"(?:que|cuales|quien(?:es)?) (?:es|son|fue|significa|quiere decir)", r"como (?:funcionan?|se detecta)"
)
FIRST_PERSON = any_of(r"soy|estoy|me|mi|mis|tengo|yo|no puedo|nos|perdi|juego|apuesto|debo")

# --- distress --------------------------------------------------------------------------------------------------------

_WANTS = (
    r"(?:quier[oe]|quisiera|querria|deseo|prefiero|preferiria|ganas de|pienso|pens(?:e|ando)|piensa|voy a|vengo a|"
    r"estoy "
    r"por|necesito|planeo|idea de|podria|pienso en|pense en|pensando en|piensa en|mejor|solucion es|tendria que)"
)
_END = (
    r"(?:matarme|suicidarme|morir(?:me)?|ahorcarme|colgarme|pegarme un tiro|(?:quitarme|sacarme) la vida|"
    r"tirarme (?:abajo|al tren|del|de un|debajo|a las vias|por la ventana|al vacio)|lastimarme|hacerme daño|cortarme|"
    r"estar muert[oa]|desaparecer(?! (?:la|el|las|los|mis|esa|este|del veraz|deudas?))|no existir|"
    r"no estar (?:mas|aca|viv[oa])|dormir(?:me)? (?:para siempre|y no despertar\w*)|no despertar\w*|"
    r"(?:terminar|acabar) con (?:mi vida|todo(?! (?:lo|el|mi|la))|esto|mi sufrimiento)|dejar de (?:vivir(?! (?:al|"
    r"con|de|en)\b)|existir|sufrir)|"
    r"que (?:todo )?se termine todo|irme de este mundo)"
)
_NEGATED = r"(?<!no )(?<!no me )"
_SENSE = r"(?:sentidos?|motivos?|razon(?:es)?)"
DISTRESS = any_of(
    r"no (?:le )?(?:encuentro|veo|hallo) (?:mas )?sentido a (?:nada|todo|mi vida)",
    r"(?:mi|la) vida (?:ya )?se (?:termino|acabo|arruino|fue)|algo irreversible|hacerme algo(?= *$| \.)",
    r"no quiero seguir mas(?! (?:pagando|con|en|invirt|ahorr|alquil))",
    r"estarian (?:mas|mejor)(?: \w+){0,3} (?:si (?:yo )?no (?:estuviera|existiera|estoy)|sin mi)",
    r"no despertar\w*(?= *$| \.| nunca| mas)|(?:mejor|quiero|ojala|prefiero|seria)(?: \w+){0,4} no despertar\w*",
    r"no tengo (?:mas )?(?:ganas|fuerzas?|motivos?) (?:de|para) (?:seguir|nada|levantarme|luchar)(?! (?:pagando|con|"
    r"ahorr|invirt|lab))",
    r"(?:me siento|estoy|ando|veo|encuentro|quede)(?: \w+){0,6} sin (?:ninguna )?(?:salida|escapatoria)(?! laboral)",
    r"(?:pienso|pense|pensando|imagino)(?: \w+){0,3} si me (?:muero|mato|muriera|pasa algo)",
    r"(?:ya )?nada (?:ya )?(?:me )?(?:tiene|vale|importa)(?: mas)?(?: sentido| la pena)?(?= *$| \.| desde| y\b| en "
    r"mi vida)",
    r"(?:cansad|hart)[oa] de (?:vivir|la vida|esta vida|luchar|existir)|no quiero estar mas (?:aca|asi)(?= *$| \.)",
    r"(?:hacer|cometer|haga) una (?:locura|tonteria)(?= *$| \.| (?:si|porque|conmigo)\b)",
    r"pensamientos? (?:feos|oscuros|negros|suicidas|de muerte)|alivio (?:seria )?(?:morir\w*|estar muert\w)",
    r"(?:mi vida|vivir|seguir viviendo) (?:ya )?no (?:vale|tiene)(?: nada| la pena| sentido)?(?= *$| \.| asi| desde)",
    r"(?:quiero|necesito) que (?:todo |esto )?(?:se )?(?:termine|acabe|pare)(?= *$| \.| ya| todo| de una)",
    r"suicid\w*",
    rf"{_NEGATED}{_WANTS} (?:en )?(?:que )?(?:lo mejor es )?{_END}",
    rf"{_NEGATED}me (?:quiero|quisiera|voy a|podria|vengo a|estoy por|dan ganas de) (?:re )?"
    r"(?:matar|morir|suicidar|ahorcar|lastimar|colgar|pegar un tiro|ir de este mundo|tirar (?:abajo|del|al tren|de "
    r"un))",
    r"(?:matarme|ahorcarme|pegarme un tiro|quitarme la vida|sacarme la vida|autolesion\w*|cortarme las venas)",
    r"(?:acabar|terminar) con (?:mi vida|todo esto|todo de una vez)",
    r"no (?:quiero|puedo|deseo|merezco|soporto|aguanto|tengo (?:mas )?(?:ganas|fuerzas?)(?: de| para)?|me dan ganas de)"
    r" (?:mas )?(?:seguir )?(?:vivir|viviendo|viv[oa]|existir|existiendo|despertar\w*|levantarme|estar (?:mas )?"
    r"(?:viv[oa]|en este mundo|aca))(?! (?:mas )?(?:de|en|con|al|a|alquil\w+|temprano)\b)",
    r"no quiero seguir(?: mas| asi)?(?= *$| \.| y | porque)",
    rf"(?:no (?:le )?(?:encuentro|veo|hay|tengo|tiene) (?:mas )?(?:ningun )?{_SENSE} (?:a|para|de|en) (?:la vida|vivir|"
    r"seguir(?! (?:pagando|con|en|ahorr\w+|invirt\w+))))",
    r"la vida (?:ya )?no (?:tiene (?:mas )?(?:ningun )?(?:sentido|valor)|le veo|vale)(?! la pena (?:ahorr|invert))",
    r"para que (?:voy a )?(?:seguir|vivir|sigo|vivo)(?: (?:viviendo|luchando|asi))?(?= *$| \.| si (?:todo|nada|nadie|"
    r"igual))",
    r"(?:soy|me siento)(?: (?:solo|nada mas|como|siempre))? (?:que )?(?:soy )?una? (?:carga|estorbo|peso|problema)"
    r"(?= *$| \.| para\b| en\b)",
    r"(?:estari?a[ns]?|estariamos|estar) (?:todos )?mejor (?:muert[oa]|sin (?:mi|que yo))",
    r"mejor muert[oa]",
    r"(?:seria|es|estaria) (?:todo )?(?:mucho )?(?:mas facil|mejor)(?: para todos)? (?:si (?:yo )?(?:no (?:estuviera|"
    r"existiera|"
    r"estoy)|me (?:muero|muriera)))",
    r"ojala (?:no (?:me )?despert\w+|me (?:muera|muriera|mate)|no hubiera nacido|no exist\w+)",
    r"no (?:me )?despertar\w* (?:nunca|mas|mañana)",
    r"(?:nadie|ninguno) me va a (?:extrañar|necesitar|llorar)",
    r"no (?:pienso|voy a|quiero) (?:\w+ )?estar (?:mucho )?(?:mas|aca)(?= *$| \.)",
    r"(?:carta|nota|mensaje) de despedida",
    r"me despido de (?:todos|ustedes|la vida|este mundo|mi familia|mis hijos)|ya no voy a estar",
    r"me (?:corto|corte|lastimo|lastime|quemo)(?= *$| \.| (?:los|las|para|cuando|y|porque|el brazo|la piel)\b)",
    rf"si me (?:muero|mato|muriera|pasa algo)(?: \w+){{0,10}} {_DEBTS}",
    r"(?:vale|valgo) mas (?:mi seguro|muert[oa]|para el seguro)",
    r"(?:cobr\w+|paga\w*) (?:\w+ ){0,3}seguro(?: \w+){0,3} (?:si|cuando) me (?:muera|mate|muero|mato)",
    r"no (?:le )?(?:veo|encuentro|tengo|hay|tiene|queda) (?:mas )?(?:ninguna |otra |una |la )?(?:salida|escapatoria)"
    r"(?! (?:al?|del?|para|en|con)\b)",
    r"no (?:puedo|aguanto|soporto) mas (?:con )?(?:la|mi|esta) vida|no (?:aguanto|soporto) mas (?:vivir|esto)",
    rf"{_FEELS} {_VERY}(?:depre|deprimid[oa]|con depresion|vaci[oa]|muert[oa] por dentro|sin ganas de (?:nada|vivir))",
    r"(?:tengo|estoy en|cai en|entre en) (?:una |un pozo de )?depresion|sin ganas de (?:nada|vivir|seguir)",
    r"(?:toque|llegue al?|estoy en el) fondo(?= *$| \.| y\b)",
    r"me odio|no merezco (?:vivir|nada|estar)",
    r"(?:compre|tengo|junte|consegui) (?:\w+ ){0,3}(?:pastillas|veneno|una? (?:soga|arma|revolver))(?: \w+){0,4} "
    r"(?:terminar|acabar|matar|irme|dormir|todo)\w*",
    r"kill myself|end my life|want to die|suicidal",
)
_THEY = r"(?:mi|mis|un|una|el|la|su|se|nuestr[oa]|dice|dijo|habla|amenaza)"
DISTRESS_OF_ANOTHER = any_of(
    r"(?:mi (?:\w+ ){1,5}|que )se (?:va a|quiere) (?:tirar (?:abajo|al|del|de)|cortar las venas)",
    rf"mi (?!banco|mercado)\w+ (?:esta|anda|se siente) {_VERY}(?:depre|deprimid[oa]|con depresion)",
    r"(?:se|me dijo que se) (?:quiere|quiso|quieren|va a|intento|trato de|puede|podria) "
    r"(?:matar|suicidar|morir|ahorcar|quitar la vida|lastimar|colgar)",
    rf"{_THEY}(?: \w+){{0,6}} (?:suicidarse|matarse|quitarse la vida|sacarse la vida|autolesion\w+)",
    r"intento (?:de )?(?:suicid\w+|matarse|quitarse la vida)",
    rf"{_THEY}(?: \w+){{0,5}} no (?:quiere|tiene ganas de|puede) (?:seguir )?(?:vivir|viviendo|existir)(?! (?:de|en|"
    rf"con)\b)",
    r"mi (?:\w+ ){1,3}se (?:corta|lastima|hace daño)",
    r"(?:dice|dijo) que (?:estariamos|estaremos|estarian) mejor sin (?:el|ella)",
)
STRAIN = any_of(
    r"no me levanto de la cama|no (?:puedo|quiero) levantarme|estoy (?:tan|muy|re) mal(?= *$| \.| que\b| no\b| por\b)",
    r"miedo(?: \w+){0,10} no (?:duermo|puedo dormir)|no (?:duermo|puedo dormir)(?: \w+){0,8} miedo",
    r"no (?:tengo|tenemos|me alcanza|nos alcanza) (?:nada )?(?:ni )?(?:para|que) (?:comer|darle\w* de comer|la "
    r"comida|alimentar)",
    r"(?:no sirvo para nada|me rindo)(?= *$| \.)|lloro todo el (?:dia|tiempo)|(?:estoy|ando) llorando",
    rf"{_FEELS} {_VERY}(?:desesperad|angustiad|agobiad|hundid|desbordad|aterrad|destruid|destrozad|quebrad|abrumad|"
    r"superad|devastad)[oa]s?",
    rf"{_FEELS} {_VERY}ahogad[oa]s?(?! (?:de|en|con) (?:laburo|trabajo|tareas))",
    rf"{_FEELS} (?:al limite|al borde|un fracaso|una fracasad[oa]|un fracasad[oa]|un inutil|una basura)",
    rf"(?:me (?:esta|estan|tiene|tienen)|nos esta[n]?) {_VERY}(?:destruyendo|matando|consumiendo|enfermando|"
    rf"desesperad\w|mal)",
    rf"no (?:duermo|puedo dormir|pego un ojo|logro dormir|como|paro de llorar)(?: \w+){{0,6}} {_MONEY_TROUBLE}",
    rf"{_MONEY_TROUBLE}(?: \w+){{0,8}} no (?:duermo|puedo dormir|pego un ojo|logro dormir)",
    r"ataques? de (?:panico|ansiedad|angustia|llanto)",
    rf"(?:lloro|llorando)(?: \w+){{0,6}} (?:por|con|de) (?:\w+ ){{0,3}}{_MONEY_TROUBLE}",
    r"(?:ya )?no (?:doy|aguanto|puedo|soporto|resisto) mas(?= *$| \.| (?:y|debo|tengo|porque|por|las|los|siento|quiero|"
    r"estoy|me|vivir|asi)\b)",
    rf"no se (?:mas )?(?:que hacer|como salir|para donde (?:ir|correr|arrancar))(?: con)? (?:\w+ ){{0,2}}{_DEBTS}",
    rf"{_DEBTS}(?: \w+){{0,8}} no se (?:mas )?(?:que hacer|como salir|para donde \w+)",
    rf"(?:tengo|me da|me agarra|me genera) (?:mucha |una )?(?:angustia|ansiedad|panico|terror)(?: "
    rf"\w+){{0,6}} {_MONEY_TROUBLE}",
)

# --- gambling --------------------------------------------------------------------------------------------------------

_GAME = (
    r"(?:timbas?|casinos?|apuestas?|ruleta|tragamonedas|maquinitas|bingo|quiniela|loto|quini|poker|blackjack|hipodromo|"
    r"caballos|slots|carreras de caballos|juego online|bets?|bplay|betsson|bet365|dados|punto y banca)"
)
_BETS = r"(?:apost\w+|apuest[aoe]n?|timbe\w+)"
_RELATIVE = (
    r"mi (?:hij[oa]|marido|mujer|espos[oa]|pareja|novi[oa]|herman[oa]|papa|mama|viej[oa]|padre|madre|amig[oa]|niet[oa]|"
    r"ex|cuñad[oa]|sobrin[oa]|suegr[oa]|abuel[oa]|ti[oa])"
)
GAMBLING = any_of(
    r"jugador[a]? compulsiv\w|(?:mejor|que|cual|en que|recomend\w+) (?:es )?(?:el |un |una )?(?:mejor )?(?:casino|"
    r"casa de apuestas)",
    r"(?:ganar|inv[ie]+rt\w+|vivir|ingresos?|duplicar|multiplicar)(?: (?!acciones)\w+){0,5} (?:apuestas|casino|"
    r"ruleta|quiniela|poker|tragamonedas)",
    r"apuestas (?:deportivas|online)(?: \w+){0,6} (?:ganar|inv[ie]+rt\w+|estrategia|conviene|plata|ingreso\w*|sueldo|"
    r"debo|perdi)",
    r"(?:meti|metido|metida|enganche|caido|cai) (?:en|con) (?:las |el |la )?(?:apuestas|juego online|timba|casino)",
    r"ludop\w+",
    r"(?:adict|viciad|enganchad|enviciad|metid)[oa]s? (?:\w+ ){0,3}(?:juego|jugar|" + _GAME + "|" + _BETS + ")",
    r"adiccion (?:\w+ ){0,2}(?:juego|apuestas|timba)",
    r"problemas? (?:con|de|por) (?:el |la |las |los )?(?:juego|" + _GAME + ")(?! de)",
    rf"no (?:puedo|puede|logro|paro|para|dejo|deja|consigo|podes)(?: (?:parar|dejar|frenar))?(?: de)? (?:{_BETS}|"
    rf"timbear|"
    r"jugar(?! (?:al?|en) (?:futbol|tenis|la play|padel))\b(?= *$| \.| (?:por|en|con|a la|a las|y|online)\b))",
    rf"(?:jug|perd|gast|patin|fund|revent|quem|pierd|dej|met|pus)\w*(?: (?!bonos|bolsa|acciones)\w+){{0,7}} "
    rf"(?:en|con|a|al|por|de|jugando|todo en)(?: (?:el|la|las|los|un|una))? (?:{_GAME}|{_BETS}|jugando)",
    rf"(?:prestamo|prestad[oa]|presta|credito|vendi|vendio|empeñ\w+|sueldo|ahorros|aguinaldo|jubilacion|{_CASH}|"
    rf"adelanto)"
    rf"(?: \w+){{0,5}} (?:para|en|por) (?:seguir )?(?:el |la |las |los )?(?:{_BETS}|jugar(?! (?:al|con))|"
    rf"timbear|{_GAME})",
    rf"(?:estrategia|sistema|truco|metodo|formula|martingala)(?: \w+){{0,4}} (?:ganar\w*|{_GAME}|{_BETS})(?: "
    rf"\w+){{0,3}} ?"
    rf"(?:{_GAME})?(?<!ganar)(?<!ganarle)",
    rf"(?:ganarle|ganar plata|ganar) (?:a|al|en|con)(?: (?:el|la|las))? {_GAME}",
    rf"(?:vivir|vivo|ganar) de (?:las? |el )?(?:{_GAME}|apostar)",
    rf"{_BETS}(?: \w+){{0,5}} (?:{_CASH}|partidos?|futbol|caballos?|escondidas|todo(?= *$))",
    rf"recuper\w+(?: \w+){{0,7}} {_GAME}|(?:{_GAME}|{_BETS})(?: \w+){{0,10}} recuper\w+",
    rf"(?:{_BETS}|juego) (?:a escondidas|todos los dias|todas las noches|compulsiv\w+|por plata)",
    r"volvi a (?:apostar|timbear|jugar(?! (?:al?|en|con) (?!las? (?:maquin|carreras)|la ruleta|el casino)))",
    rf"{_RELATIVE}(?: \w+){{0,8}} (?:{_GAME}|{_BETS}|timbea)",
    rf"(?:cajero|plataforma|pagina) de casino|(?:todos los dias|todas las noches)(?: \w+){{0,5}} {_GAME}",
    rf"debo(?: \w+){{0,6}} {_GAME}|{_GAME}(?: \w+){{0,6}} (?:debo|deudas?)",
    r"me fundi jugando|pierdo plata jugando",
)

# --- threats, violence, abuse ----------------------------------------------------------------------------------------

_THREATEN = r"(?:amenaz|extorsion|apriet|apret|intimid|aprete|persigu|hostig)\w*"
_LENDS = (
    rf"(?:{_DEBTS}|usurer\w*|financieras?|gota a gota|cobrador\w*|cobra\w*|pag[aou]\w*|credito|{_CASH}|narcos?|transa|"
    r"prestamista|no les? pago|matones)"
)
THREATS = any_of(
    r"(?:financiera|cobrador\w*|prestamista|estudio de cobranza|acreedor\w*)(?: \w+){0,10} (?:insult\w+|hostig\w+|"
    r"acos\w+|grit\w+|maltrat\w+|persig\w+)",
    r"(?:me|nos) (?:llaman|escriben|buscan|siguen)(?: \w+){0,10} (?:financiera|cobrador\w*|prestamista|deuda)(?: "
    r"\w+){0,6} "
    r"(?:insult\w+|amenaz\w+|hostig\w+|miedo)",
    rf"{_LENDS}(?: \w+){{0,12}} sabe[n]? (?:donde (?:vivo|trabajo)|mi direccion|a que escuela)",
    rf"(?:me|nos|les?) (?:\w+ ){{0,3}}{_THREATEN}(?: \w+){{0,10}} {_LENDS}",
    rf"{_LENDS}(?: \w+){{0,8}} (?:me|nos|y) (?:\w+ ){{0,4}}{_THREATEN}",
    rf"{_LENDS}(?: \w+){{0,12}} (?:me|nos|mi|mis) (?:\w+ ){{0,2}}(?:{_THREATEN}|quieren matar|siguen|va[n]? a matar)",
    r"(?:me|nos) (?:amenaz|extorsion)\w+",
    rf"{_LENDS}(?: \w+){{0,8}} {_THREATEN} (?:con|para)",
    r"(?:me|nos|le|les) van? a (?:hacer (?:algo|daño)|quemar|matar|lastimar|romper|pegar|cagar a|reventar)(?! (?:el|"
    r"la|los) "
    r"(?:bolsillo|banco|tarjeta|inflacion|precio))",
    r"van? a (?:quemar|romper|incendiar|tirotear) (?:mi|la|nuestra) casa",
    r"(?:debo|deuda|le debo)(?: \w+){0,6} (?:tipos? pesad\w+|narcos?|usurer\w+|mafios\w+|prestamista|transa|barrabrava)"
    r"(?: \w+){0,8}",
    r"gota a gota(?: \w+){0,8} (?:miedo|apret\w+|amenaz\w+|vin\w+|vien\w+|busc\w+)",
    r"(?:cobr|vin|vien)\w+(?: \w+){0,4} (?:con|a punta de) (?:armas?|pistola|cuchillo)",
    r"(?:foto|fotos)(?: \w+){0,3} (?:mi casa|mis hijos)|mandar mis fotos",
)
_PARTNER = (
    r"(?:mi (?:marido|esposo|esposa|mujer|pareja|novi[oa]|ex|concubin[oa]|señor|compañer[oa]|papa|padre|viejo|mama|"
    r"madre|"
    r"suegr[oa]|hermano|familia|padrastro)|el padre de mis hijos|el papa de mis hijos|(?:si|que|pero|y|cuando) el|"
    r"^el|^ella)"
)
_OWN_MONEY = (
    rf"(?:{_CASH}|tarjetas?|cuentas?|gast\w+|tickets?|monedas|prestamos?|creditos?|claves?|banco|celular|compras?|"
    r"documento|dni|gano|casa|papeles|mercado pago|todo lo que)"
)
VIOLENCE = any_of(
    rf"{_RELATIVE}(?: \w+){{0,6}} me (?:grita|insulta|empuja|amenaza|pega) (?:si|cuando|porque)(?: \w+){{0,4}} "
    rf"(?:doy|plata|dinero|pago)",
    rf"{_PARTNER}(?: \w+){{0,10}} (?:rogar\w*|mendig\w+|suplic\w+|pedirle permiso|me da lo (?:justo|que quiere))",
    r"mi ex (?:dejo de|no) (?:me |nos )?(?:pag\w+|pas\w+|deposit\w+)(?: \w+){0,3} (?:alimentos|cuota|manutencion|"
    r"cuota alimentaria)",
    r"me (?:pega|golpea|empuja|maltrata|viola)(?= *$| \.| (?:cuando|si|y|porque|todos|cada|seguido|delante|"
    r"con)\b)(?! (?:y )?(?:mal|fuerte))",
    rf"{_PARTNER}(?: \w+){{0,4}} (?:me )?(?:controla|revisa|decide|vigila|elige)(?: \w+){{0,5}} (?:en que gasto|mis "
    rf"gastos|lo que gasto|mi sueldo|cada peso)",
    rf"{_PARTNER}(?: \w+){{0,5}} no me dej[ao]n? (?:manejar|trabajar|tener|usar|ver|estudiar|salir|gastar|tocar|"
    rf"comprar|"
    r"ahorrar|abrir|administrar|elegir|entrar)",
    r"no me dej[ao]n? (?:ver|usar|tocar|manejar|entrar a|tener) (?:mi|mis) (?:\w+ )?(?:cuentas?|plata|tarjetas?|"
    r"sueldo|banco)",
    rf"{_PARTNER}(?: \w+){{0,5}} me (?:\w+ )?(?:sac|quit|control|retien|rob|agarr|manej|escond|revis|prohib|oblig|vaci|"
    rf"administr|pide|exig|deja sin|tiene sin|hizo firmar|hace firmar|da monedas)\w*(?: \w+){{0,6}} {_OWN_MONEY}",
    rf"{_PARTNER}(?: \w+){{0,5}} me (?:\w+ )?(?:peg[ao]|golpea|encierra|amenaz\w+|maltrata|insulta|empuja|grita "
    rf"y)(?! (?:un|el) "
    r"(?:telefonazo|llamado|precio))",
    rf"(?:pedir(?:le)?|pido|pedirle) permiso (?:\w+ )?(?:a {_PARTNER}|para (?:comprar|gastar|usar))",
    r"(?:separarme|me separo|me voy|irme|dejarlo|dejarla)(?: \w+){0,12} (?:amenaza|sin nada|en la calle|no soy nada|"
    r"sin un peso|"
    r"toda la plata|miedo|me mata)",
    rf"(?:tengo|le tengo|da) miedo (?:de |a )?(?:que )?(?:el|ella|{_PARTNER})(?: \w+){{0,8}}",
    rf"{_PARTNER}(?: \w+){{0,5}} sac(?:o|a|aron) (?:\w+ )?(?:creditos?|prestamos?|tarjetas?)(?: \w+){{0,6}} (?:mi "
    rf"(?:dni|nombre)|"
    r"sin (?:decirme|avisarme|mi permiso))",
    rf"{_PARTNER} no me (?:pasa|paga|deposita|da)(?: \w+){{0,4}} (?:cuota alimentaria|alimentos|manutencion|un "
    rf"peso|{_CASH})",
    r"(?:sac|quit)\w*(?: \w+){0,4} a los golpes",
    r"me hizo firmar(?: \w+){0,14} miedo|me obliga (?:a|con)(?: \w+){0,4} "
    r"(?:dar\w*|entregar\w*|firmar|sacar|pedir|endeudar\w*|poner)",
    rf"{_PARTNER}(?: \w+){{0,4}} me obligo",
    rf"violencia (?:economica|de genero|domestica|familiar)(?: \w+){{0,6}} (?:mi|me|sufro|vivo)|"
    rf"(?:sufro|vivo|soy victima de)(?: \w+){{0,2}} violencia|{_PARTNER} me tiene(?: \w+){{0,3}} sin (?:un peso|"
    rf"plata|nada)",
)
_OLD = (
    r"(?:mi (?:mama|papa|madre|padre|viej[oa]|abuel[oa]|suegr[oa]|tia abuela|tio abuelo|ti[oa] ancian[oa])|mis "
    r"(?:abuelos|viejos|padres)|ancian[oa]s?|jubilad[oa]s?|geriatrico|(?:la|mi|su) jubilacion|de (?:[789]\d)\b|"
    r"alzheimer|"
    r"tengo (?:[789]\d) años)"
)
_YOUNG = (
    r"(?:mis? (?:hij[oa]s?|niet[oa]s?|sobrin[oa]s?|nuera|yerno)|l[oa]s? que (?:la|lo) cuidan?|cuidador\w*|el que cuida)"
)
_TAKES = (
    r"(?:saca[n]?|sacaron|saco|quita[n]?|quito|usa[n]?|cobra[n]?|roba[n]?|manejan?|retiene|transf\w+|hace "
    r"transferencias|"
    r"hizo firmar|hicieron firmar|obligaron|obligo|vendi[oe]\w*|vendio|se quedo con|se queda con|gasta[n]?|vaci\w+|"
    r"oblig\w+|"
    r"hacen firmar|sacandole|robando\w*)"
)
ELDER = any_of(
    rf"{_YOUNG}(?: \\w+){{0,4}} (?:me|le) (?:hizo|hicieron|hace) (?:poner|pasar|firmar|escriturar|transferir)(?: "
    rf"\\w+){{0,8}}",
    rf"{_YOUNG}(?: \w+){{0,14}} me quieren? (?:echar|sacar de mi casa|internar|meter en un geriatrico)",
    rf"{_YOUNG}(?: \w+){{0,3}} me usan? (?:la|mi|las|mis) (?:tarjeta|cuenta|plata|jubilacion)\w*(?: \w+){{0,3}}",
    rf"(?:le|les|lo|la|se) {_TAKES}(?: \w+){{0,7}} {_OLD}",
    rf"{_OLD}(?: \w+){{0,6}} (?:le|les|la|lo) (?:\w+ )?{_TAKES}(?! (?:el|la|una?|su) (?:turno|tarjeta sube|"
    rf"credencial))",
    rf"{_YOUNG}(?: \w+){{0,5}} (?:me|le|se) {_TAKES}(?: \w+){{0,8}} ?(?:{_CASH}|casa|tarjeta|escritura|poder|"
    rf"cuenta|{_OLD})",
    rf"{_YOUNG}(?: \w+){{0,3}} (?:cobra|maneja|usa|vendio|saca) (?:mi|la de mi)(?: \w+){{0,2}}(?: \w+){{0,3}} ?(?:no "
    rf"me da|sin)?",
    rf"{_YOUNG}(?: \w+){{0,4}} (?:grita|pega|obliga|amenaza|quita)(?: \w+){{0,4}} (?:{_CASH}|tarjeta)",
    r"(?:oblig|hicieron|presion)\w+(?: \w+){0,2} a (?:mi|mis) (?:mama|papa|madre|padre|viej[oa]|abuel[oa]s?|"
    r"padres)(?: \w+){0,5}",
    r"declarar(?:me|la|lo) (?:insan\w|incapaz)",
    r"en el geriatrico(?: \w+){0,4} (?:jubilacion|plata|tarjeta)",
    rf"se qued(?:o|aron) con (?:la|el|su)(?: \w+){{0,4}} de {_OLD}",
)

# --- fraud, medical emergencies, children ----------------------------------------------------------------------------

_VALUABLES = (
    r"(?:cuentas?|tarjetas?|plata|guita|dinero|celular|telefono|billetera|mercado ?pago|banco|claves?|dolares|pesos|"
    r"ahorros|documento|dni|identidad|usuario|homebanking|cripto\w*|bitcoins?|whatsapp|instagram)"
)
_TO_US = r"(?:me|nos|le|les)"
_KEY = r"(?:claves?|codigos?|token|contraseñas?|cbu y clave|pin|datos de la tarjeta)"
_GONE = r"(?:desaparec|borr|esfum|bloque|no (?:me )?contest|no (?:me )?respond|no (?:me )?atiend|rajo|cort[oó])\w*"
FRAUD = any_of(
    rf"{_KEY}(?: \w+){{0,8}} se l[oa]s? (?:di|pase|dicte|mande|envie)",
    r"cai (?:con|por|en) (?:una|un|la|el) (?:pagina|link|mail|mensaje|perfil|llamado|sitio)(?: \w+){0,6}",
    r"(?:transferencia|comprobante|billetes?|cheque|pago) (?:fals|truch)\w+",
    r"(?:pague|compre|transferi|deposite|señe|mande)(?: \w+){0,10} nunca (?:me |nos )?(?:mandaron|mando|llego|"
    r"entreg\w+|envi\w+|devolv\w+|aparecio)",
    rf"{_TO_US} (?:estafaron|hackearon|jaquearon|clonaron|vaciaron|phishearon|hicieron (?:el|un) cuento|engañaron|"
    rf"robaron "
    r"los datos|cagaron con (?:la plata|una inversion))",
    rf"{_TO_US} (?:robaron|afanaron|chorearon|choriaron|sacaron|quitaron)(?: \w+){{0,7}} {_VALUABLES}",
    r"(?:fui|fuimos|fue) (?:victimas? de (?:una |un )?(?:estafa|fraude|phishing)|estafad[oa]s?)|cuento del tio",
    r"(?:cai|caimos|cayo|entre) en (?:una|la|un|el) (?:estafa|phishing|cuento|trampa|ponzi|piramide|telar|esquema)",
    rf"(?:di|pase|comparti|dicte|entregue|puse|ingrese|mande|dio|paso|dicto|puso) (?:mi|la|mis|las|el|un|los|mi "
    rf"propia) {_KEY}",
    r"(?:pagina|plataforma|app|trading|broker|ganancias|inversion|exchange|curso)(?: \w+){0,12} "
    r"no (?:me )?(?:dejan?|puedo|permiten?|devuelven?) (?:retirar|sacar|la plata|mi plata|lo mio|cobrar)?",
    r"no me (?:dejan?|permiten?) (?:retirar|sacar)(?: \w+){0,4} (?:plata|fondos|ganancias|lo mio|dolares|inversion|"
    r"guita)?",
    r"no me devuelven?(?: \w+){0,2} (?:plata|guita|dinero|inversion|dolares)",
    rf"(?:transferi|deposite|mande|pague|puse|envie|inverti|gire|señe)(?: \w+){{0,14}} {_GONE}",
    rf"(?:asesor|vendedor|tipo|trader|dueño|chica|chico|pagina|empresa)(?: (?!no\b)\w+){{0,8}} {_GONE}(?! (?:el|la) "
    rf"precio)",
    r"(?:compra|consumo|movimiento|debito|transferencia|extraccion|cargo|prestamo|retiro)(?:s|es)?(?: \w+){0,2} que "
    r"(?:yo )?no "
    r"(?:hice|reconozco|autorice|pedi|saque)(?! (?:porque|con))",
    r"(?:sacaron|pidieron|tomaron|hicieron)(?: \w+){0,2} (?:prestamo|credito|tarjeta|cuenta)s? a mi nombre",
    rf"se (?:borro|esfumo|fue|fugo|quedo|quedaron|rajo)(?: \w+){{0,2}} con (?:\w+ ){{0,3}}(?:{_CASH}|seña|cripto\w*|"
    rf"inversion)",
    r"(?:me piden|me pidieron|piden|me exigen)(?: \w+){0,8} para (?:poder )?(?:liberar|sacar|retirar|desbloquear|"
    r"cobrar|recuperar)",
    r"(?:link|pagina|sitio|mail|mensaje|empleado|gestor|llamado|alquiler|vendedor|comprobante|perfil)(?: \w+){0,6} "
    r"(?:truch|fals)[oa]s?(?: \w+){0,10}(?<=\w) (?:puse|clave|pague|transferi|plata|seña|di|datos)",
    r"(?:se quedaron con|perdi|pague) (?:mi|la|una) seña(?: \w+){0,5} (?:truch|fals)\w+",
    r"(?:falso|supuesto) (?:empleado|gestor|asesor|ejecutivo)(?: \w+){0,3} de(?:l)? (?:anses|banco|pami|arca|afip)",
    r"(?:instale|baje|descargue)(?: \w+){0,10} (?:controla\w*|manejaban|acceso remoto|sin saldo|no tengo saldo)",
    r"(?:hackear|usurp|suplant)\w*(?: \w+){0,2} (?:mi (?:cuenta|whatsapp|identidad|instagram))",
)
MEDICAL = any_of(
    rf"{_RELATIVE}(?: \w+){{0,6}} no (?:responde|respira|se despierta|despierta|se mueve|reacciona)(?= *$| \\.| (?:y|"
    rf"que|mi)\\b)",
    r"(?:duele|dolor|puntada|presion)(?: \w+){0,3} (?:el|en el|de) pecho",
    r"no (?:puede|puedo|podemos) respirar|me ahogo(?= *$| \.)|se (?:esta ahogando|ahoga)(?= *$| \.)",
    r"(?:me )?(?:tome|trague|tomo|tomaron)(?: \w+){0,4} (?:pastillas|veneno|lavandina|psicofarmacos|blister)",
    r"(?:se|me) desmay\w+|no reacciona(?= *$| \.| (?:y|mi|esta))|inconsciente",
    r"(?:perdiendo|pierdo|pierde|sale|salga) (?:\w+ )?(?:mucha |tanta )?sangre|hemorragia",
    r"(?:teniendo|tuvo|tengo|dando|dio|agarro|sufriendo|por tener) un (?:infarto|acv|ataque al corazon|paro cardiaco|"
    r"derrame)",
    r"convulsion\w*|sobredosis|intoxic\w+ con",
    r"(?:mi|el|la) (?:hij[oa]|nene|nena|bebe|chico|chica|hermanito|niet[oa])(?: \w+){0,2} se trago (?:una?|el|la|mi)",
    r"no puede (?:mover|hablar)(?: \w+){0,4}(?: y| ni)?|habla raro|se me duerme (?:el|un|la|media) (?:brazo|cara|lado)",
    r"(?:accidente|choque|choco)(?: \w+){0,8} (?:herid|atrapad|sangr|grave)\w*",
    r"(?:esta|estoy) por (?:nacer|parir)|rompi bolsa",
)
_MINOR = (
    r"(?:tengo (?:[6-9]|1[0-7])(?= *$| \.| (?:años?|y|pero)\b)|soy menor|mi (?:hij[oa]|niet[oa]|sobrin[oa]|prim[oa]|"
    r"alumn[oa]|"
    r"hermanit[oa]|bebe)|la nena|el nene|los chicos|las nenas|los nenes|un niñ[oa]|una niña|mis hijos|chicos? de "
    r"\d{1,2})"
)
_HURTS = r"(?:pega[n]?|golpea[n]?|maltrata[n]?|abusa[n]?|abuso|abusaron|toca[n]?|manosea|toco|encierra[n]?|viola|violo)"
CHILD = any_of(
    r"(?:le|les) pegan? a (?:sus?|los|las|l[oa]s) (?:hij\w+|nen\w+|chic\w+|niñ\w+)",
    rf"{_MINOR}(?: \w+){{0,12}} (?:fotos|videos|desnud\\w+|me toca|me pega|abusa\\w*)",
    rf"{_MINOR}(?: \w+){{0,8}} (?:moretones|golpead[oa]|desnutrid[oa]|no come hace)",
    rf"{_MINOR}(?: \w+){{0,12}} (?:me|la|lo|los|las|le|les) (?:\w+ )?{_HURTS}(?! (?:muy )?(?:fuerte|pagar|aprender|"
    rf"cobrar|el turno))",
    rf"(?:me|la|lo|los|las|le|les) (?:\w+ )?{_HURTS}(?: \w+){{0,12}} tengo (?:[6-9]|1[0-7])(?= *$| \.| años)",
    rf"{_HURTS} (?:a|de) (?:{_MINOR}|mis? \w+)(?= *$| \.| (?:de|que|y|todas|cuando)\b)",
    rf"(?:le|les) {_HURTS} (?:a|al) (?:{_MINOR}|mis? (?:hij|niet|sobrin|prim)\w+)",
    r"(?:padrastro|profesor|profe|vecino|tio|abuelo|entrenador|cura|un señor|un hombre)(?: \w+){0,3} me (?:toca|"
    r"manosea|pega|pide "
    r"fotos|obliga|abusa)\w*",
    r"(?:tengo (?:[6-9]|1[0-7]))(?: \w+){0,8} (?:me pide[n]? fotos|plata para ver\w*|obligan a trabajar|pide fotos)",
    r"(?:obligan|hacen) a? ?trabajar(?: \w+){0,4} tengo (?:[6-9]|1[0-7])",
    r"me escape de (?:mi )?casa|(?:dejaron|dejan|dejo) sol[oa]s?(?: \w+){0,5} (?:casa|comida|noche)",
    r"no tengo (?:nada para|que) comer(?: \w+){0,6} (?:padres|papas|mama|papa)",
    r"ofrece[n]? plata para (?:ver\w*|encontr\w+|sal\w+)",
)

# --- families that tell of a kind wherever they stand in a short message ----------------------------------------------

TOGETHER_GAMBLING = (
    any_of(rf"{_GAME}|{_BETS}|timb\w+"),
    any_of(
        r"no puedo|parar|dejar de|perd\w+|pierd\w+|deb[oe]\w*|deud\w+|recuper\w+|gast\w+|patin\w+|prestam\w+|"
        r"prestad\w|credito|sueldo|"
        r"ahorros|aguinaldo|escond\w+|mient\w+|vici\w+|adict\w+|todos los dias|todas las noches"
    ),
    any_of(r"me|mi|mis|yo|[a-z]+o|perdi|debo|aposte|jugue"),
)
TOGETHER_THREATS = (
    any_of(r"amenaz\w*|lastim\w+|apret\w+|apriet\w+|romper\w*|quemar|matar\w*|armas?|extorsion\w*"),
    any_of(r"deud\w*|deb[oe]|prest\w+|pag[oa]\w*|cobr\w+|plata que"),
    any_of(r"me|mi|mis|nos|a mi|familia|hijos"),
    any_of(
        r"tipos?|prestamista|si no pago|van? a|vinieron|vino|dicen|dijo|dijeron|financiera|cobrador\w*|usurer\w+|"
        r"barrio|narco\w*"
    ),
)
TOGETHER_VIOLENCE = (
    any_of(_PARTNER),
    any_of(
        r"me (?:\w+ ){0,2}(?:prohib\w+|control\w+|oblig\w+|encierr\w+|peg[ao](?! (?:mal|fuerte))|golpe\w+|amenaz\w+|"
        r"manipul\w+|revis\w+|"
        r"humill\w+)|(?:controlar|obligar|prohibir|amenazar|pegar|castigar)me|rendirle (?:cuentas|cada)|pedirle "
        r"(?:permiso|plata para)|"
        r"no me da (?:\w+ )?(?:plata|un peso|nada)|prohibe trabajar"
    ),
)
TOGETHER_ELDER = (
    any_of(rf"{_YOUNG}|(?:mi )?herman[oa]s?|cuñad[oa]|vecin[oa]|cuida\w*"),
    any_of(r"jubilacion|pension|mi tia|mi abuel[oa]|mi mama|mi papa|ancian\w+|de (?:[789]\d)|tengo (?:[789]\d)"),
    any_of(
        r"vaci\w+|sac\w+|quit\w+|rob\w+|hizo firmar|hicieron firmar|no (?:me|le) da(?:n)?(?: nada| un peso| la "
        r"plata)?|"
        r"se qued\w+ con"
    ),
)
TOGETHER_FRAUD = (
    any_of(r"transfer\w+|deposit[eo]|pague|mande|compre|inverti|puse|gire|señe"),
    any_of(
        r"no (?:me |nos )?(?:mand\w+|entreg\w+|envi\w+|devuelv\w+|devolvi\w+|respond\w+|contest\w+|dejan?|atiend\w+)|"
        r"desaparec\w+|"
        r"me bloque\w+|truch\w+|fals[oa]s?|era estafa"
    ),
    any_of(
        r"vendedor\w?|pagina|plataforma|broker|tipo|marketplace|instagram|facebook|whatsapp|internet|app|cuenta|"
        r"alquiler|asesor|trading"
    ),
)
