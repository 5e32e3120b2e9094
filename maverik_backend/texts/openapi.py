"""What the API's own documentation says."""

from __future__ import annotations

from typing import Any

DESCRIPTION = """\
API de un copiloto de asesoramiento financiero.

El recorrido: `POST /user/signup` crea la cuenta y manda una clave temporal por correo; `POST /user/login` la cambia por
un token; `POST /copilot/sessions` abre una sesión de asesoría; `POST /copilot/sessions/{id}` dice algo y devuelve la
respuesta; `GET /copilot/sessions/{id}` devuelve lo dicho.

Los errores son `application/problem+json` (RFC 9457): `detail` es para personas, `error` para programas, y `errores`
marca los campos que hay que corregir. Una sesión ajena y una que no existe son el mismo 404.

Un cuerpo que no es JSON válido es un 422 que marca `body`, como cualquier otro dato inválido. El 400 es de lo que ni
siquiera se puede leer: bytes que no son UTF-8, demasiados niveles anidados o un número de miles de cifras.

Lo que puede pasar en cualquier dirección no se repite en cada operación: un método que no acepta es un 405 con
`Allow`, y una falla nuestra es un 500, los dos con la misma forma de error. Toda respuesta trae `X-Request-ID`:
mencionalo cuando nos cuentes un problema.
"""

TAGS: dict[str, str] = {
    "servicio": "Quién contesta y cómo está.",
    "usuario": "La cuenta, el perfil de inversor y los datos propios.",
    "acceso": "Entrar, salir y las claves.",
    "catálogos": "Las opciones del cuestionario.",
    "sesiones": "Las sesiones de asesoría.",
    "conversación": "Lo que se dice en una sesión.",
}

OPERATIONS: dict[str, str] = {
    "get_root": "El nombre y la versión del servicio.",
    "get_health": "El estado del conjunto y, para quienes lo operan, el de cada dependencia. Contesta 503 sólo cuando "
    "no hay base de datos.",
    "get_liveness": "No consulta nada más: si no contesta, el proceso no funciona.",
    "get_readiness": "Contesta 503 antes de que la base esté migrada y desde que el proceso empieza a terminar.",
    "sign_up": "Contesta lo mismo cuando el correo ya tiene una cuenta: entonces el correo que llega lo dice.",
    "get_me": "Lo que la persona contó de sí misma.",
    "update_me": "Cambia los datos que se mandan y deja los demás como están.",
    "delete_me": "Pide la clave otra vez, porque no se puede deshacer.",
    "export_me": (
        "Cada tabla con los datos de la persona, tal como están guardados. Nunca incluye claves. Lo que había al "
        "empezar, a medida que se lee; si algo falla en el camino, la respuesta se corta. De a una por vez y cinco por "
        "hora."
    ),
    "get_my_events": "Entradas, cambios de clave y otros hechos de seguridad de la cuenta.",
    "log_in": (
        "Un correo desconocido y una clave equivocada son el mismo error. Las cuentas con segundo factor piden además "
        "`codigo`: eso se dice sólo cuando la clave es la correcta."
    ),
    "refresh_token": (
        "Cada token de renovación sirve una sola vez; usarlo de nuevo cierra la sesión. Si la respuesta se perdió, se "
        "puede repetir una vez dentro de los 10 segundos."
    ),
    "log_out": "Deja sin efecto los tokens con los que se mandó este pedido.",
    "get_logins": "Las sesiones abiertas, de la más nueva a la más vieja, de a páginas.",
    "end_login": "Deja sin efecto los tokens de esa sesión.",
    "forgot_password": "Contesta lo mismo tenga o no una cuenta ese correo.",
    "reset_password": (
        "El enlace sirve una sola vez. Cierra todas las sesiones abiertas y abre una nueva; si la cuenta tiene segundo "
        "factor, sólo con `codigo`: sin él la clave cambia igual y los tokens son null."
    ),
    "change_password": "Cierra las demás sesiones abiertas; ésta sigue.",
    "get_second_factor": "Si está activo, desde cuándo y cuántos códigos de recuperación quedan.",
    "start_second_factor": "Da un secreto para la aplicación. Nada cambia hasta que se confirma, dentro de la hora.",
    "confirm_second_factor": (
        "Desde entonces entrar pide un código. Muestra los códigos de recuperación por única vez y cierra las demás "
        "sesiones."
    ),
    "renew_recovery_codes": "Los muestra por única vez; los anteriores dejan de servir.",
    "remove_second_factor": "Pide la clave y un código, de la aplicación o de recuperación. Cierra las demás sesiones.",
    "resend_key": "Contesta lo mismo tenga o no una cuenta ese correo.",
    "get_catalogs": "Acepta `If-None-Match`: mientras nada cambió, contesta 304 sin cuerpo.",
    "create_session": (
        "El propósito 2 exige un objetivo; los demás datos se pueden dejar en null. Hay un máximo de sesiones por "
        "persona y de sesiones nuevas por hora."
    ),
    "get_sessions": "De a páginas: el `siguiente` de una es el `before` de la que sigue.",
    "get_session_info": "Los datos con los que se abrió y el nombre que tiene ahora.",
    "rename_session": "Sin caracteres de control ni otros que no se ven.",
    "delete_session": "No se puede deshacer.",
    "create_turn": (
        "Contesta cuando la respuesta está, a más tardar en un minuto. Si el servicio de asesoramiento no contestó, "
        "`estado` es `respaldo`. Con `Idempotency-Key` se puede repetir sin que se diga dos veces."
    ),
    "get_history": (
        "Sin `limit`, los últimos 500 mensajes. Una página trae menos cuando sus textos pasan de 2 MiB. Si hay "
        "mensajes más viejos, `Link` lleva a la página anterior."
    ),
    "get_turn": "Sirve para buscar una respuesta que no llegó.",
    "follow_turn": "Para retomar después de un corte, en cualquier réplica: llega todo desde el comienzo, y después "
    "lo que falta. No hace falta para que la respuesta se termine y quede guardada.",
    "stop_turn": "Lo que ya se generó queda como respuesta, con estado `detenida`. Puede tardar un instante: mientras, "
    "el estado sigue `pendiente`. Un mensaje que ya tiene su respuesta vuelve como está.",
    "retry_turn": "La respuesta nueva queda en el lugar de la anterior.",
}

SCHEMAS: dict[str, str] = {
    "Activo": "Una parte de un portafolio.",
    "CampoInvalido": "Un dato que hay que corregir.",
    "CatalogosResponse": "Todos los catálogos, cada uno en orden de id.",
    "ClaveCambiarRequest": "Una clave nueva, con la actual.",
    "ClaveConfirmarRequest": "La clave, otra vez.",
    "ClaveRestablecerRequest": "Una clave nueva, con el token de un enlace.",
    "ClaveRestablecidaResponse": "Que la clave cambió, y los tokens de una sesión.",
    "CodigosRecuperacionResponse": "Códigos de recuperación, que no se vuelven a mostrar.",
    "CorreoRequest": "Una dirección a la que mandar algo.",
    "DependenciaResponse": "Algo que el servicio necesita.",
    "DisponibilidadResponse": "Si conviene mandarle pedidos.",
    "EventoResponse": "Algo que pasó con la cuenta.",
    "InicioSesionResponse": "Una sesión abierta.",
    "LoginResponse": "Un token para los pedidos y otro para renovarlo.",
    "MensajeResponse": "Algo que decirle a la persona.",
    "OpcionResponse": "Una respuesta posible.",
    "Portafolio": "Una distribución cuyos pesos suman 100.",
    "Problema": "Un error (RFC 9457): `detail` es para personas, `error` para programas.",
    "SaludDetalladaResponse": "El servicio y lo que necesita, para quienes lo operan.",
    "SaludResponse": "Cómo está el servicio.",
    "SegundoFactorAutorizarRequest": "La clave y un código.",
    "SegundoFactorConfirmarRequest": "El primer código de la aplicación.",
    "SegundoFactorIniciadoResponse": "Un secreto para la aplicación, que no se vuelve a mostrar.",
    "SegundoFactorResponse": "Si la cuenta pide un segundo factor.",
    "ServicioResponse": "Quién contesta.",
    "SesionCrearRequest": "De qué se trata la sesión.",
    "SesionRenombrarRequest": "Un nombre nuevo.",
    "RegistroResponse": "Una cuenta pedida; la misma respuesta si el correo ya tenía una.",
    "SesionResponse": "Una sesión de asesoría.",
    "SesionesResponse": "Una página de sesiones.",
    "TokenRenovarRequest": "Un token de renovación, que queda usado.",
    "TurnoCrearRequest": "Lo que dice la persona.",
    "TurnoResponse": "Un mensaje con su respuesta.",
    "UsuarioActualizarRequest": "Los datos que cambian. Sólo los dos primeros se pueden vaciar con null.",
    "UsuarioCrearRequest": "El formulario: un correo y las respuestas del cuestionario.",
    "UsuarioLogin": "Un correo y su clave.",
    "UsuarioResponse": "El perfil de la persona.",
    "VidaResponse": "Que el proceso contesta.",
}

# By schema and name: where a name means something of its own there.
PARTS: dict[str, str] = {
    "ClaveRestablecidaResponse.access_token": "Para los pedidos; null si falta el segundo factor, como los que siguen.",
    "ClaveRestablecidaResponse.debe_cambiar_clave": "Siempre `false`; null sin sesión.",
    "ClaveRestablecidaResponse.expires_in": "Segundos que dura el token de acceso; null sin sesión.",
    "ClaveRestablecidaResponse.refresh_token": "Para `POST /user/token/refresh`; null sin sesión.",
    "ClaveRestablecidaResponse.token_type": "Siempre `Bearer`; null sin sesión.",
    "ClaveRestablecidaResponse.user_name": "La parte del correo anterior a la arroba; null sin sesión.",
    "ClaveRestablecerRequest.codigo": "De la aplicación o de recuperación; null, vacío o ausente sin segundo factor.",
    "DependenciaResponse.status": "Si funciona: `healthy`, `degraded` (a medias) o `unhealthy`.",
    "DisponibilidadResponse.status": "`ready` si conviene mandarle pedidos; si no, `not ready`.",
    "EventoResponse.fecha_creacion": "Cuándo pasó.",
    "InicioSesionResponse.fecha_creacion": "Cuándo se entró.",
    "Portafolio.origen": "Quién lo armó: el optimizador (`optimizador`) o el propio servicio (`integrado`).",
    "Problema.status": "El código HTTP.",
    "SaludDetalladaResponse.status": "El conjunto: `healthy`, `degraded` (atiende, con algo menos) o `unhealthy` (no).",
    "SaludResponse.status": "El conjunto: `healthy`, `degraded` (atiende, con algo menos) o `unhealthy` (no atiende).",
    "SegundoFactorResponse.activado": "Desde cuándo; null si no está activo.",
    "SegundoFactorResponse.activo": "Si entrar pide un código.",
    "RegistroResponse.fecha_creacion": "Cuándo se la pidió.",
    "RegistroResponse.fecha_actualizacion": "Cuándo se la pidió.",
    "RegistroResponse.id": "El de la cuenta; de ninguna cuenta si el correo ya tenía una.",
    "SesionResponse.fecha_creacion": "Cuándo se abrió.",
    "SesionResponse.objetivo_id": "Para qué se ahorra; id de `GET /catalogs`, null si no tiene objetivo.",
    "TurnoCrearRequest.input": "Lo que dice la persona; null mientras no hubo respuesta: entonces habla su perfil.",
    "TurnoResponse.fecha_creacion": "Cuándo se dijo; null en mensajes de antes de que se guardara.",
    "TurnoResponse.input": "Lo que dijo la persona, o su perfil por ella.",
    "TurnoResponse.origen": (
        "Quién contestó: el servicio de asesoramiento (`rag`), el propio servicio (`integrado`) o nadie, y es un texto "
        "de respaldo (`respaldo`); null si todavía no hay respuesta, o si es de antes de que se guardara."
    ),
    "UsuarioResponse.fecha_creacion": "Cuándo se creó la cuenta.",
    "UsuarioLogin.codigo": "De la aplicación o de recuperación; null, vacío o ausente sin segundo factor.",
    "VidaResponse.status": "Siempre `alive`.",
}

# One meaning a name, wherever else it appears; what a schema says itself comes first.
NAMES: dict[str, str] = {
    "access_token": "Para el encabezado `Authorization: Bearer`.",
    "activo": "El nombre del activo.",
    "activos": "Sus partes, en porcentajes que suman 100.",
    "actual": "Si es la sesión con la que se mandó este pedido.",
    "agente": "El programa con el que se entró; null si no lo dijo.",
    "busca_invertir_en": "En qué busca invertir.",
    "busca_invertir_en_id": "En qué busca invertir; id de `GET /catalogs`.",
    "campo": "El nombre del dato.",
    "capital_inicial": "En la moneda en que piensa la persona; null si no se sabe.",
    "clave": "La clave.",
    "clave_actual": "La clave que hay que reemplazar.",
    "clave_nueva": "La clave elegida: de 8 a 128 caracteres (en Unicode NFC), y ninguna de las más usadas.",
    "codigo": "De la aplicación (6 cifras) o de recuperación; con o sin blancos y guiones.",
    "codigos": "Cada uno sirve una sola vez.",
    "codigos_restantes": "Cuántos códigos de recuperación quedan.",
    "conocimiento_alt_inversion": "Cuánto sabe de alternativas de inversión.",
    "conocimiento_alt_inversion_id": "Cuánto sabe de alternativas de inversión; id de `GET /catalogs`.",
    "debe_cambiar_clave": "La clave es temporal o la conoce alguien más.",
    "dependencies": "Cada dependencia por su nombre.",
    "desc": "El texto de la opción.",
    "detail": "Una frase para la persona.",
    "direccion": "La red desde la que se llamó, sin la dirección exacta; null si no se sabe.",
    "docs": "Dónde está esta documentación.",
    "email": "La dirección de correo.",
    "email_verificado": "Cuándo se supo que la dirección es suya; null si todavía no.",
    "error": "Nombre estable del error, en inglés; a una página web, `POST /user/login` le dice en su lugar `detail`.",
    "errores": "Los datos que hay que corregir, cuando son ellos el problema.",
    "estado": "`completada`, `respaldo` (sin asesor), o, sin respuesta, `pendiente` e `interrumpida`.",
    "experiencia_invirtiendo": "Cuánta experiencia tiene invirtiendo.",
    "experiencia_invirtiendo_id": "Cuánta experiencia tiene invirtiendo; id de `GET /catalogs`.",
    "expires_in": "Segundos que dura el token de acceso.",
    "fecha_actualizacion": "Cuándo cambió por última vez.",
    "fecha_nacimiento": "AAAA-MM-DD, de una persona adulta; null si prefiere no decirla.",
    "fuentes": "Los artículos de los que sale la respuesta.",
    "horizonte_temporal": "En meses; null si no se sabe.",
    "id": "El número con el que se lo nombra.",
    "if-none-match": "El `ETag` de la copia que se tiene.",
    "login_id": "El `id` de la sesión abierta.",
    "mensaje": "Una frase para la persona.",
    "nivel_educativo": "El nivel educativo.",
    "nivel_educativo_id": "El nivel educativo; id de `GET /catalogs`, null si prefiere no decirlo.",
    "objetivo": "Para qué se ahorra.",
    "objetivo_id": "Para qué se ahorra; id de `GET /catalogs`, obligatorio con el propósito 2.",
    "output": "La respuesta, como texto sin formato: se muestra tal cual.",
    "output_markdown": "La misma respuesta, en Markdown sin HTML ni imágenes.",
    "perfil_riesgo": "Para qué tolerancia al riesgo se pensó.",
    "permitidos": "Los valores que se aceptan, cuando son unos pocos.",
    "peso": "En porcentaje.",
    "porcentaje_ahorro_invertir": "Qué parte de lo ahorrado invertiría.",
    "porcentaje_ahorro_invertir_id": "Qué parte de lo ahorrado invertiría; id de `GET /catalogs`.",
    "porcentaje_ahorro_mensual": "Qué parte de sus ingresos ahorra.",
    "porcentaje_ahorro_mensual_id": "Qué parte de sus ingresos ahorra; id de `GET /catalogs`.",
    "portafolio": "El portafolio que acompaña la respuesta; null si no trae.",
    "primer_input": "Lo que diría un primer mensaje sin texto.",
    "proporcion_inversion_mantener": "Qué proporción de la inversión mantendría.",
    "proporcion_inversion_mantener_id": "Qué proporción de la inversión mantendría; id de `GET /catalogs`.",
    "proposito_sesion_id": "Para qué es la sesión; id de `GET /catalogs`. El 2 exige un objetivo.",
    "refresh_token": "Para `POST /user/token/refresh`; sirve una sola vez.",
    "retorno_esperado": "En porcentaje por año; null si no se sabe.",
    "secreto": "En base32, para escribirlo a mano.",
    "segundo_factor_requerido": "Si falta `codigo` para entrar: la clave cambió, pero no se abrió una sesión.",
    "service": "Siempre `maverik_backend`.",
    "sesion_asesoria_id": "La sesión a la que pertenece.",
    "sesiones": "De la más nueva a la más vieja.",
    "session_id": "El `id` de la sesión de asesoría.",
    "tiempo_mantener_inversion": "Cuánto tiempo mantendría la inversión.",
    "tiempo_mantener_inversion_id": "Cuánto tiempo mantendría la inversión; id de `GET /catalogs`.",
    "tipo": "Qué pasó, con un nombre estable.",
    "title": "Qué clase de problema es.",
    "titulo_chat": "El nombre de la sesión, de hasta 200 caracteres.",
    "token": "El que trae el enlace recibido por correo.",
    "token_type": "Siempre `Bearer`.",
    "tolerancia_al_riesgo": "Cuánto riesgo tolera.",
    "tolerancia_al_riesgo_id": "Cuánto riesgo tolera; id de `GET /catalogs`, null si no se sabe.",
    "turn_id": "El `id` del mensaje.",
    "type": "Un identificador de la clase de problema.",
    "uri": "La dirección `otpauth://` que se muestra como código QR.",
    "ultimo_uso": "Cuándo se la usó por última vez.",
    "usuario_id": "De quién es.",
    "vence": "Cuándo termina.",
    "version": "La versión del servicio.",
    "volatilidad": "En porcentaje por año; null si no se sabe.",
}

HEADERS: dict[str, dict[str, Any]] = {
    "Link": {
        "description": 'Con `rel="prev"`, la página anterior (RFC 8288), relativa a esta dirección; si no hay, falta.',
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "La versión de esta copia, para mandarla en `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true` cuando es la respuesta que este mismo pedido ya había recibido; si no, falta.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "En cuántos segundos vale la pena volver a probar.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "Qué hay que mandar para entrar.", "schema": {"type": "string"}},
    "X-Request-ID": {
        "description": "Cómo nombran los logs a este pedido: con el `X-Request-ID` que trajo, si sirve, o con otro.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
    },
}
EVENT_STREAM = (
    "Con `Accept: text/event-stream`: el turno a medida que se genera, como *UI message stream* del AI SDK, versión 1. "
    "La parte `data-turno` trae al final el mismo objeto que la respuesta en JSON."
)
DONE = "Hecho"
"""What an answer without a problem is called."""
