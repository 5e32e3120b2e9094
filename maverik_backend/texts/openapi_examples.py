"""An example of each body that the API takes or gives; all of them are about the same invented person."""

from __future__ import annotations

from typing import Any

_PROFILE: dict[str, Any] = {
    "email": "ana@example.com",
    "fecha_nacimiento": "1990-05-17",
    "nivel_educativo_id": 3,
    "conocimiento_alt_inversion_id": 2,
    "experiencia_invirtiendo_id": 2,
    "porcentaje_ahorro_mensual_id": 2,
    "porcentaje_ahorro_invertir_id": 2,
    "tiempo_mantener_inversion_id": 2,
    "busca_invertir_en_id": 2,
    "proporcion_inversion_mantener_id": 3,
}
_SESSION: dict[str, Any] = {
    "proposito_sesion_id": 2,
    "objetivo_id": 1,
    "capital_inicial": 15000,
    "horizonte_temporal": 36,
    "tolerancia_al_riesgo_id": 2,
}
_STORED_SESSION: dict[str, Any] = {
    "id": 12,
    "usuario_id": 5,
    "titulo_chat": "(02/03/2026 11:05, n.º 12) Comprar una vivienda",
    "primer_input": "Quiero ahorrar para comprar una vivienda. ¿Cómo empiezo?",
    **_SESSION,
    "fecha_creacion": "2026-03-02T14:05:00Z",
}
_PORTFOLIO: dict[str, Any] = {
    "perfil_riesgo": "moderate",
    "activos": [{"activo": "Acciones", "peso": 60.0}, {"activo": "Bonos", "peso": 40.0}],
    "origen": "optimizador",
    "retorno_esperado": 7.5,
    "volatilidad": 11.2,
    "motivos": ["Tu tolerancia al riesgo es media."],
    "advertencias": ["Apartá antes un fondo de emergencia de tres a seis meses de gastos."],
    "perdida_posible": 35.0,
}
_OPTION: dict[str, Any] = {"id": 1, "desc": "Baja"}
_CATALOGS = (
    "nivel_educativo",
    "conocimiento_alt_inversion",
    "experiencia_invirtiendo",
    "porcentaje_ahorro_mensual",
    "porcentaje_ahorro_invertir",
    "tiempo_mantener_inversion",
    "busca_invertir_en",
    "proporcion_inversion_mantener",
    "tolerancia_al_riesgo",
    "objetivo",
    "proposito_sesion",
)
_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105 - of the test vectors in RFC 6238, appendix B
_DOCUMENT = {
    "id": 31,
    "coleccion": "documentos",
    "titulo": "Prospecto del fondo",
    "tipo": "application/pdf",
    "tamano": 183_204,
    "estado": "procesando",
    "error": None,
    "paginas": 40,
    "paginas_hechas": 12,
    "pasajes": 0,
    "fecha_creacion": "2026-03-02T14:06:00Z",
}
_CITATION = {"titulo": "Plazo fijo", "url": None, "documento_id": 31, "pagina": 2, "pasaje_id": 870}
_HEALTHY: dict[str, Any] = {"status": "healthy", "latency_ms": 1.2, "detail": None, "backlog": None}

EXAMPLES: dict[str, dict[str, Any]] = {
    "CatalogosResponse": {name: [_OPTION] for name in _CATALOGS},
    "Cita": _CITATION,
    "ClaveCambiarRequest": {"clave_actual": "la clave de antes", "clave_nueva": "caminar temprano por el río"},
    "ClaveConfirmarRequest": {"clave": "caminar temprano por el río"},
    "ClaveRestablecerRequest": {"token": "5Wq0mT1n", "clave_nueva": "caminar temprano por el río"},
    "ClaveRestablecidaResponse": {
        "mensaje": "Tu clave cambió. Las otras sesiones se cerraron.",
        "segundo_factor_requerido": False,
        "access_token": "v4.local.x",
        "token_type": "Bearer",
        "expires_in": 86400,
        "refresh_token": "v4.local.y",
        "debe_cambiar_clave": False,
        "user_name": "ana",
    },
    "CodigosRecuperacionResponse": {"codigos": ["aaaa-bbbb-cccc-dddd-eeee-ffff"]},
    "ColeccionResponse": {"coleccion": "documentos", "nombre": "Mis documentos", "propia": True, "documentos": 3},
    "CorreoRequest": {"email": "ana@example.com"},
    "DisponibilidadResponse": {"status": "ready"},
    "DocumentoResponse": _DOCUMENT,
    "DocumentosResponse": {"documentos": [_DOCUMENT], "siguiente": None},
    "EventoResponse": {
        "id": 31,
        "tipo": "inicio_de_sesion",
        "direccion": "203.0.113.0/24",
        "fecha_creacion": "2026-03-02T14:00:00Z",
    },
    "InicioSesionResponse": {
        "id": 7,
        "fecha_creacion": "2026-03-02T14:00:00Z",
        "ultimo_uso": "2026-03-02T14:00:00Z",
        "vence": "2026-04-01T14:00:00Z",
        "direccion": "203.0.113.0/24",
        "agente": "Firefox",
        "actual": True,
    },
    "LoginResponse": {
        "access_token": "v4.local.x",
        "token_type": "Bearer",
        "expires_in": 86400,
        "refresh_token": "v4.local.y",
        "debe_cambiar_clave": True,
        "user_name": "ana",
    },
    "MensajeResponse": {"mensaje": "Listo."},
    "Portafolio": _PORTFOLIO,
    "SaludResponse": {"status": "healthy"},
    "SaludDetalladaResponse": {
        "status": "healthy",
        "version": "0.2.0",
        "uptime_s": 3600.0,
        "dependencies": {"database": _HEALTHY, "mail": {**_HEALTHY, "latency_ms": None, "backlog": 0}},
    },
    "SegundoFactorAutorizarRequest": {"clave": "caminar temprano por el río", "codigo": "123 456"},
    "SegundoFactorConfirmarRequest": {"codigo": "123 456"},
    "SegundoFactorIniciadoResponse": {
        "secreto": _SECRET,
        "uri": f"otpauth://totp/Maverik:ana%40example.com?secret={_SECRET}&issuer=Maverik",
    },
    "SegundoFactorResponse": {"activo": True, "activado": "2026-03-02T14:00:00Z", "codigos_restantes": 9},
    "RegistroResponse": {
        "id": 5,
        **_PROFILE,
        "fecha_creacion": "2026-03-02T13:55:00Z",
        "fecha_actualizacion": "2026-03-02T13:55:00Z",
        "mensaje": "Te enviamos un correo con los pasos para entrar.",
    },
    "ServicioResponse": {"service": "maverik_backend", "version": "0.2.0", "docs": "/docs"},
    "SesionCrearRequest": _SESSION,
    "SesionRenombrarRequest": {"titulo_chat": "La casa"},
    "SesionResponse": _STORED_SESSION,
    "SesionesResponse": {"sesiones": [_STORED_SESSION], "siguiente": None},
    "TokenRenovarRequest": {"refresh_token": "v4.local.y"},
    "TurnoCrearRequest": {"input": "¿Me conviene un plazo fijo?"},
    "TurnoResponse": {
        "id": 45,
        "sesion_asesoria_id": 12,
        "input": "¿Me conviene un plazo fijo?",
        "output": "Depende de para cuándo necesites la plata.",
        "output_markdown": "**Depende** de para cuándo necesites la plata.",
        "estado": "completada",
        "origen": "rag",
        "portafolio": _PORTFOLIO,
        "fuentes": ["Plazo fijo"],
        "citas": [_CITATION],
        "fecha_creacion": "2026-03-02T14:06:00Z",
    },
    "UsuarioActualizarRequest": {"busca_invertir_en_id": 3},
    "UsuarioCrearRequest": _PROFILE,
    "UsuarioLogin": {"email": "ana@example.com", "clave": "caminar temprano por el río"},
    "UsuarioResponse": {
        "id": 5,
        **_PROFILE,
        "debe_cambiar_clave": False,
        "email_verificado": "2026-03-02T14:00:00Z",
        "fecha_creacion": "2026-03-02T13:55:00Z",
        "fecha_actualizacion": "2026-03-02T13:55:00Z",
    },
    "VidaResponse": {"status": "alive"},
}
"""By the schema's name."""
