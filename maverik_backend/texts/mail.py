"""The mails that people get: a subject and paragraphs; both forms are laid out by :func:`lay_out`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from maverik_backend.texts.messages import write_to_us


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # it may hold a key, which no log shall show
class Letter:
    """A mail before it has an address. ``key_line`` stands alone on its line, for people and tools that look for it."""

    subject: str
    paragraphs: tuple[str, ...]
    key_line: str | None = None
    link: str | None = None
    link_text: str = "Entrar a Maverik"


SIGNATURE = "El equipo de Maverik"
GREETING = "¡Hola!"
KEY_LINE = "Clave: {key}"
IN_TIME = "Tenés {hours} horas: después el enlace vence, y la clave también si todavía no entraste con ella."
IGNORE = "Si no fuiste vos, podés ignorar este correo."
NOT_ASKED_FOR = "Si no lo pediste, {tell_us}."
RESET_YOURS = "Si no fuiste vos, elegí otra clave cuanto antes: con el enlace te mandamos cómo."
CHANGE_LATER = "Cuando quieras, podés cambiar la clave en {change_url}"
CHOOSE_ANOTHER = "Elegir otra clave"


def welcome(*, key: str, link: str, frontend_url: str, change_url: str, hours: int) -> Letter:
    """To a person who just signed up, with the temporary key and a link to choose another."""
    return Letter(
        subject="Te damos la bienvenida a Maverik",
        paragraphs=(
            (
                "Tu cuenta en Maverik ya está lista. Podés elegir tu clave con el enlace, o entrar en "
                f"{frontend_url} con este correo y la clave temporal de abajo."
            ),
            IN_TIME.format(hours=hours),
            CHANGE_LATER.format(change_url=change_url),
            "No compartas este correo con nadie: nunca te vamos a pedir la clave.",
            IGNORE,
        ),
        key_line=KEY_LINE.format(key=key),
        link=link,
        link_text="Elegir mi clave",
    )


def key_replaced(*, key: str, link: str, frontend_url: str, change_url: str, hours: int, support: str | None) -> Letter:
    """To a person whose key an operator replaced, with the temporary one and a link to choose another."""
    return Letter(
        subject="Reemplazamos tu clave de Maverik",
        paragraphs=(
            (
                "Alguien de nuestro equipo reemplazó la clave de tu cuenta: la anterior ya no sirve y cerramos todas "
                "las sesiones que estaban abiertas. Tu perfil y tus conversaciones siguen como estaban."
            ),
            (
                f"Podés elegir otra con el enlace, o entrar en {frontend_url} con este correo y la clave temporal de "
                "abajo. " + IN_TIME.format(hours=hours)
            ),
            CHANGE_LATER.format(change_url=change_url),
            NOT_ASKED_FOR.format(tell_us=write_to_us(support)),
            "No compartas este correo con nadie: nunca te vamos a pedir la clave.",
        ),
        key_line=KEY_LINE.format(key=key),
        link=link,
        link_text="Elegir mi clave",
    )


def disabled(*, frontend_url: str, support: str | None) -> Letter:
    """To a person whose account is closed, whatever was asked for."""
    return Letter(
        subject="Tu cuenta de Maverik está deshabilitada",
        paragraphs=(
            (
                "Alguien quiso entrar a Maverik con este correo. Tu cuenta está deshabilitada: por ahora no podés "
                "entrar, crear otra con este correo ni restablecer la clave."
            ),
            f"Si creés que es un error o querés que la borremos, {write_to_us(support)}.",
            IGNORE,
        ),
        link=frontend_url,
        link_text="Ir a Maverik",
    )


def already_registered(*, forgot_url: str) -> Letter:
    """To a person whose address signed up again."""
    return Letter(
        subject="Ya tenés una cuenta en Maverik",
        paragraphs=(
            (
                "Alguien quiso crear una cuenta en Maverik con este correo, pero ya tenés una. Tu clave no cambió: "
                "podés entrar como siempre o, si no te la acordás, elegir otra con el enlace."
            ),
            IGNORE,
        ),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def reset_link(*, link: str, minutes: int) -> Letter:
    """To a person who forgot the key."""
    return Letter(
        subject="Elegí una clave nueva para Maverik",
        paragraphs=(
            (
                "Recibimos un pedido para restablecer tu clave. El enlace sirve una sola vez y vale por "
                f"{minutes} minutos."
            ),
            IGNORE,
        ),
        link=link,
        link_text="Elegir una clave nueva",
    )


def no_account(*, forgot_url: str) -> Letter:
    """To an address without account for which a link was asked."""
    return Letter(
        subject="No hay una cuenta de Maverik con este correo",
        paragraphs=(
            (
                "Alguien pidió restablecer la clave de una cuenta de Maverik con este correo, pero no hay ninguna. "
                "Si la creaste con otra dirección, pedilo con esa."
            ),
            IGNORE,
        ),
        link=forgot_url,
        link_text="Pedirlo con otra dirección",
    )


def nothing_to_resend(*, forgot_url: str) -> Letter:
    """To a person who asked for the welcome mail again and cannot have it."""
    return Letter(
        subject="Tu acceso a Maverik",
        paragraphs=(
            (
                "Alguien pidió que te mandemos otra vez la clave temporal de Maverik. Con este correo no hay una "
                "cuenta por estrenar: si ya entraste alguna vez y no te acordás la clave, elegí otra con el enlace."
            ),
            IGNORE,
        ),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def password_changed(*, forgot_url: str) -> Letter:
    """To a person whose key was just set."""
    return Letter(
        subject="Tu clave de Maverik cambió",
        paragraphs=(
            "La clave de tu cuenta acaba de cambiar y cerramos las otras sesiones que estaban abiertas.",
            RESET_YOURS,
        ),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def second_factor_added(*, forgot_url: str, support: str | None) -> Letter:
    """To a person who just confirmed a second factor."""
    return Letter(
        subject="Activaste el segundo factor en Maverik",
        paragraphs=(
            (
                "Desde ahora, para entrar a tu cuenta hace falta, además de la clave, un código de tu aplicación. "
                "Cerramos las otras sesiones que estaban abiertas."
            ),
            "Guardá los códigos de recuperación que te mostramos: son la forma de entrar si perdés el teléfono.",
            (
                f"Si no fuiste vos, elegí otra clave cuanto antes con el enlace y {write_to_us(support)}: alguien sabe "
                "tu clave, y con la nueva tampoco vas a poder entrar hasta que quitemos ese segundo factor."
            ),
        ),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def second_factor_removed(*, forgot_url: str) -> Letter:
    """To a person who just removed the second factor."""
    return Letter(
        subject="Quitaste el segundo factor en Maverik",
        paragraphs=(
            (
                "Desde ahora alcanza con tu clave para entrar a tu cuenta. Los códigos de recuperación ya no sirven y "
                "cerramos las otras sesiones que estaban abiertas."
            ),
            RESET_YOURS,
        ),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def second_factor_removed_by_operator(*, frontend_url: str, support: str | None) -> Letter:
    """To a person whose second factor an operator removed."""
    return Letter(
        subject="Quitamos el segundo factor de tu cuenta de Maverik",
        paragraphs=(
            (
                "Alguien de nuestro equipo quitó el segundo factor de tu cuenta: desde ahora alcanza con tu clave para "
                "entrar. Los códigos de recuperación ya no sirven y cerramos todas las sesiones que estaban abiertas."
            ),
            "Cuando entres, activalo de nuevo. " + NOT_ASKED_FOR.format(tell_us=write_to_us(support)),
        ),
        link=frontend_url,
    )


def merged_without_second_factor(*, frontend_url: str, support: str | None) -> Letter:
    """To both addresses of two accounts that an operator joined, of which the one that stays has no second factor."""
    return Letter(
        subject="Unimos dos cuentas de Maverik",
        paragraphs=(
            (
                "Alguien de nuestro equipo unió dos cuentas tuyas. La que tenía segundo factor ya no existe, y sus "
                "conversaciones pasaron a la otra, que no lo tiene: desde ahora alcanza con la clave de esa cuenta "
                "para verlas."
            ),
            "Cuando entres, activá el segundo factor. " + NOT_ASKED_FOR.format(tell_us=write_to_us(support)),
        ),
        link=frontend_url,
    )


def recovery_codes_renewed(*, forgot_url: str) -> Letter:
    """To a person who just got new recovery codes."""
    return Letter(
        subject="Tenés códigos de recuperación nuevos en Maverik",
        paragraphs=("Los códigos de recuperación que tenías ya no sirven: guardá los nuevos.", RESET_YOURS),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def recovery_code_used(*, left: int, forgot_url: str) -> Letter:
    """To a person one of whose recovery codes was just used; ``left`` remain."""
    return Letter(
        subject="Se usó un código de recuperación en Maverik",
        paragraphs=(
            f"Se usó uno de tus códigos de recuperación, que ya no sirve. Códigos que te quedan: {left}.",
            "Si no fuiste vos, elegí otra clave y pedí códigos nuevos cuanto antes.",
        ),
        link=forgot_url,
        link_text=CHOOSE_ANOTHER,
    )


def account_deleted(*, support: str | None) -> Letter:
    """To a person who just left."""
    return Letter(
        subject="Borramos tu cuenta de Maverik",
        paragraphs=(
            "Tal como pediste, borramos tu cuenta, tu perfil y todas tus conversaciones. No se pueden recuperar.",
            f"Si no fuiste vos, {write_to_us(support)}: alguien sabía tu clave. Si la usás en otro lado, cambiala ahí.",
            "Gracias por haber usado Maverik. Si algún día querés volver, podés crear una cuenta nueva.",
        ),
    )


def lay_out(letter: Letter) -> tuple[str, str]:
    """The letter as plain text and as HTML."""
    key = [letter.key_line] if letter.key_line else []
    link = [f"{letter.link_text}: {letter.link}"] if letter.link else []
    text = "\n\n".join([GREETING, *letter.paragraphs, *key, *link, SIGNATURE])
    body = "\n".join(
        [
            *(f"<p>{escape(paragraph)}</p>" for paragraph in (GREETING, *letter.paragraphs)),
            *(f'<p style="font-size:1.2em"><strong>{escape(line)}</strong></p>' for line in key),
            *(f'<p><a href="{escape(letter.link)}">{escape(letter.link_text)}</a></p>' for _ in link if letter.link),
            f"<p>{escape(SIGNATURE)}</p>",
        ]
    )
    head = f'<head><meta charset="utf-8"><title>{escape(letter.subject)}</title></head>'
    return text + "\n", f'<!doctype html>\n<html lang="es-AR">{head}<body>\n{body}\n</body></html>\n'
