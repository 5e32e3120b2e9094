"""What the API's own documentation says."""

from __future__ import annotations

DESCRIPTION = """\
API de un copiloto de asesoramiento financiero.

El recorrido: `POST /user/signup` crea la cuenta y manda una clave temporal por correo; `POST /user/login` la cambia por
un token; `POST /copilot/sessions` abre una sesión de asesoría; `POST /copilot/sessions/{id}` dice algo y devuelve la
respuesta; `GET /copilot/sessions/{id}` devuelve todo lo dicho.

Los errores son `application/problem+json` (RFC 9457): `detail` es para personas, `error` para programas, y `errores`
marca los campos que hay que corregir. Una sesión ajena y una que no existe son el mismo 404.
"""
