"""What the API's own documentation says of all of it; routes and fields say what is theirs alone themselves."""

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
    "documentos": "Documentos propios, y las colecciones que son para todos.",
}

SCHEMAS: dict[str, str] = {
    "Activo": "Una parte de un portafolio.",
    "CampoInvalido": "Un dato que hay que corregir.",
    "CatalogosResponse": "Todos los catálogos, cada uno en orden de id.",
    "Cita": "Dónde está lo que respalda una respuesta: un pasaje de un documento, o una dirección.",
    "ClaveCambiarRequest": "Una clave nueva, con la actual.",
    "ClaveConfirmarRequest": "La clave, otra vez.",
    "ClaveRestablecerRequest": "Una clave nueva, con el token de un enlace.",
    "ClaveRestablecidaResponse": "Que la clave cambió, y los tokens de una sesión.",
    "CodigosRecuperacionResponse": "Códigos de recuperación, que no se vuelven a mostrar.",
    "ColeccionResponse": "Una colección de documentos.",
    "CorreoRequest": "Una dirección a la que mandar algo.",
    "DependenciaResponse": "Algo que el servicio necesita.",
    "DisponibilidadResponse": "Si conviene mandarle pedidos.",
    "DocumentoResponse": "Un documento, y cuánto falta para que esté listo.",
    "DocumentosResponse": "Una página de documentos.",
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

# One meaning a name, wherever it appears; what a field says itself (`Field(description=...)`) comes first.
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
    "citas": "Las fuentes que dicen dónde mirar, en orden: un pasaje de un documento o una dirección.",
    "clave": "La clave.",
    "clave_actual": "La clave que hay que reemplazar.",
    "clave_nueva": "La clave elegida: de 8 a 128 caracteres (en Unicode NFC), y ninguna de las más usadas.",
    "codigo": "De la aplicación (6 cifras) o de recuperación; con o sin blancos y guiones.",
    "codigos": "Cada uno sirve una sola vez.",
    "codigos_restantes": "Cuántos códigos de recuperación quedan.",
    "coleccion": "El nombre de la colección en las direcciones.",
    "conocimiento_alt_inversion": "Cuánto sabe de alternativas de inversión.",
    "conocimiento_alt_inversion_id": "Cuánto sabe de alternativas de inversión; id de `GET /catalogs`.",
    "debe_cambiar_clave": "La clave es temporal o la conoce alguien más.",
    "dependencies": "Cada dependencia por su nombre.",
    "desc": "El texto de la opción.",
    "detail": "Una frase para la persona.",
    "direccion": "La red desde la que se llamó, sin la dirección exacta; null si no se sabe.",
    "docs": "Dónde está esta documentación.",
    "document_id": "El `id` del documento.",
    "documento_id": "El documento; null si la fuente no es uno.",
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
    "nombre": "Cómo se llama.",
    "output": "La respuesta, como texto sin formato: se muestra tal cual.",
    "output_markdown": "La misma respuesta, en Markdown sin HTML ni imágenes.",
    "documentos": "Los documentos, o cuántos son.",
    "pagina": "La página, desde 1; null si no tiene páginas.",
    "paginas": "Cuántas páginas tiene; null si no tiene, o todavía no se sabe.",
    "paginas_hechas": "Cuántas se leyeron.",
    "pasaje_id": "El pasaje del documento; null si la fuente no es un documento.",
    "pasajes": "En cuántos pasajes se lo encuentra.",
    "perfil_riesgo": "Para qué tolerancia al riesgo se pensó.",
    "permitidos": "Los valores que se aceptan, cuando son unos pocos.",
    "peso": "En porcentaje.",
    "porcentaje_ahorro_invertir": "Qué parte de lo ahorrado invertiría.",
    "porcentaje_ahorro_invertir_id": "Qué parte de lo ahorrado invertiría; id de `GET /catalogs`.",
    "porcentaje_ahorro_mensual": "Qué parte de sus ingresos ahorra.",
    "porcentaje_ahorro_mensual_id": "Qué parte de sus ingresos ahorra; id de `GET /catalogs`.",
    "portafolio": "El portafolio que acompaña la respuesta; null si no trae.",
    "primer_input": "Lo que diría un primer mensaje sin texto.",
    "propia": "Si es propia: sólo ésas se pueden cambiar.",
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
    "tamano": "En bytes.",
    "tiempo_mantener_inversion": "Cuánto tiempo mantendría la inversión.",
    "tiempo_mantener_inversion_id": "Cuánto tiempo mantendría la inversión; id de `GET /catalogs`.",
    "tipo": "Qué pasó, con un nombre estable.",
    "title": "Qué clase de problema es.",
    "titulo": "El título.",
    "titulo_chat": "El nombre de la sesión, de hasta 200 caracteres.",
    "token": "El que trae el enlace recibido por correo.",
    "token_type": "Siempre `Bearer`.",
    "tolerancia_al_riesgo": "Cuánto riesgo tolera.",
    "tolerancia_al_riesgo_id": "Cuánto riesgo tolera; id de `GET /catalogs`, null si no se sabe.",
    "turn_id": "El `id` del mensaje.",
    "type": "Un identificador de la clase de problema.",
    "uri": "La dirección `otpauth://` que se muestra como código QR.",
    "ultimo_uso": "Cuándo se la usó por última vez.",
    "url": "La dirección; null si la fuente no tiene una.",
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
