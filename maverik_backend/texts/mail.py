"""The mails that people get: a subject and paragraphs; both forms are laid out by :func:`lay_out`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail before it has an address. ``key_line`` stands alone on its line, for people and tools that look for it."""

    subject: str
    paragraphs: tuple[str, ...]
    link: str
    link_text: str
    key_line: str | None = None


SIGNATURE = "El equipo de Maverik"
GREETING = "¡Hola!"
IGNORE = "Si no fuiste vos, podés ignorar este correo."
KEY_LINE = "Clave: {key}"


def welcome(*, key: str, frontend_url: str) -> Letter:
    """To somebody who just signed up, with the temporary key."""
    return Letter(
        subject="Te damos la bienvenida a Maverik",
        paragraphs=(
            (
                "Tu cuenta en Maverik ya está lista. Para entrar, usá este correo y la clave temporal de abajo. "
                "No la compartas con nadie: nunca te la vamos a pedir."
            ),
        ),
        key_line=KEY_LINE.format(key=key),
        link=frontend_url,
        link_text="Entrar a Maverik",
    )


def already_registered(*, frontend_url: str) -> Letter:
    """To somebody whose address signed up again."""
    return Letter(
        subject="Ya tenés una cuenta en Maverik",
        paragraphs=(
            (
                "Alguien quiso crear una cuenta en Maverik con este correo, pero ya tenés una. Tu clave no cambió: "
                "podés entrar como siempre."
            ),
        ),
        link=frontend_url,
        link_text="Entrar a Maverik",
    )


def lay_out(letter: Letter) -> tuple[str, str]:
    """The letter as plain text and as HTML."""
    key = [letter.key_line] if letter.key_line else []
    text = "\n\n".join([GREETING, *letter.paragraphs, *key, f"{letter.link_text}: {letter.link}", IGNORE, SIGNATURE])
    key_html = [f'<p style="font-size:1.2em"><strong>{escape(line)}</strong></p>' for line in key]
    link_html = f'<p><a href="{escape(letter.link)}">{escape(letter.link_text)}</a></p>'
    before = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in (GREETING, *letter.paragraphs))
    after = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in (IGNORE, SIGNATURE))
    body = "\n".join([before, *key_html, link_html, after])
    head = f'<head><meta charset="utf-8"><title>{escape(letter.subject)}</title></head>'
    return text + "\n", f'<!doctype html>\n<html lang="es-AR">{head}<body>\n{body}\n</body></html>\n'
