"""What people are told about their documents."""

from __future__ import annotations

OWN_COLLECTION = "Mis documentos"
SHIPPED_COLLECTION = "Artículos de Maverik"

REFUSALS: dict[str, str] = {
    "empty": "El archivo está vacío.",
    "not_text": "El archivo no es un PDF ni un texto. Se aceptan PDF, Markdown, texto y HTML.",
    "not_pdf": "El archivo dice ser un PDF, pero no lo es. Guardalo de nuevo como PDF y volvé a subirlo.",
    "too_large": "El archivo supera los 20 MB. Dividilo y subí las partes.",
    "encrypted": "El PDF está protegido con contraseña. Guardalo sin protección y volvé a subirlo.",
    "no_text": "El documento no tiene texto: parece escaneado o hecho de imágenes. Subí una versión con texto.",
    "too_many_pages": "El documento tiene más de 2.000 páginas. Dividilo y subí las partes.",
    "too_much_text": "El documento tiene demasiado texto. Dividilo y subí las partes.",
    "too_much_work": "El documento es demasiado complejo para leerlo. Guardalo de nuevo como PDF, o subilo como texto.",
    "unreadable": "El documento está dañado y no se pudo leer. Guardalo de nuevo y volvé a subirlo.",
}
"""By the reason (``core/documents/refusals.py``)."""
NO_FORM = "Mandá el archivo como cuerpo del pedido, sin formulario."
UNTITLED = "Documento"
FAILED = "No pudimos leer el documento por un problema nuestro. Volvé a subirlo."
