"""What our own pages say, on which people set, restore and change their key."""

from __future__ import annotations

from dataclasses import dataclass

from maverik_backend.texts.messages import MAIL_ON_ITS_WAY, write_to_us


@dataclass(frozen=True, slots=True, kw_only=True)
class FormText:
    """A page with a form, and what stands in its place once the form was accepted."""

    title: str
    intro: str
    button: str
    done_title: str
    done: str


SET = FormText(
    title="Elegí tu clave",
    intro="Es la clave con la que vas a entrar a Maverik.",
    button="Guardar la clave",
    done_title="Guardamos tu clave",
    done="Ya podés ingresar con tu correo y la clave nueva. Las sesiones que estaban abiertas se cerraron.",
)
FORGOT = FormText(
    title="¿Olvidaste tu clave?",
    intro="Escribí el correo de tu cuenta y te mandamos un enlace para elegir otra.",
    button="Mandarme el enlace",
    done_title="Revisá tu correo",
    done=MAIL_ON_ITS_WAY,
)
CHANGE = FormText(
    title="Cambiá tu clave",
    intro="Si todavía usás la clave que te llegó por correo, esa es la actual.",
    button="Cambiar la clave",
    done_title="Tu clave cambió",
    done="Ya podés ingresar con la clave nueva. Las sesiones que estaban abiertas se cerraron.",
)

NEEDS_CODE = (
    "Tu cuenta tiene un segundo factor: para ingresar hace falta también un código de tu aplicación, o uno de "
    "recuperación. Si no lo activaste vos, o los perdiste, {tell_us}."
)


def needs_code(support: str | None) -> str:
    """For the owner of an account with second factor, who just set a key; ``support`` is the operators' address."""
    return NEEDS_CODE.format(tell_us=write_to_us(support))


EMAIL = "Correo"
CURRENT_KEY = "Clave actual"
CODE = "Código"
CODE_HINT = "Sólo si activaste el segundo factor: el de tu aplicación, o uno de recuperación."
NEW_KEY = "Clave nueva"
REPEATED_KEY = "Repetí la clave nueva"
KEY_HINT = "De {min} a {max} caracteres de cualquier tipo. Una frase larga es mejor que una clave corta y rara."

ERROR_TITLE = "Error: {title}"
LINK_INCOMPLETE = "A este enlace le falta una parte. Copialo entero del correo, o pedí otro."

TO_FORGOT = "Pedir un enlace para elegir otra clave"
TO_CHANGE = "Cambiar mi clave"
TO_FRONTEND = "Ir a Maverik"
