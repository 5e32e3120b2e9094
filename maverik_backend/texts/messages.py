"""What the API says when all went well, and how people reach us."""

MAIL_ON_ITS_WAY = "Si hay una cuenta con ese correo, en unos minutos te llega un mensaje con los pasos a seguir."
KEY_CHANGED = "Tu clave cambió. Las otras sesiones se cerraron."

SIGNED_UP = "Te enviamos un correo con los pasos para entrar. Si no lo ves, revisá la carpeta de correo no deseado."

WRITE_TO = "escribinos a {address}"
TELL_US = "avisale al equipo de Maverik"


def write_to_us(address: str | None) -> str:
    """How to tell the operators, at ``address`` where one is configured; a part of a sentence."""
    return WRITE_TO.format(address=address) if address else TELL_US
