"""Our own pages as HTML. They need no script, and load one style sheet from our own origin.

Everything is put together by ``markupsafe.Markup.format``, which escapes each value that is no ``Markup`` itself; only
templates of ours and what came out of them is. Addresses are relative, so that the service may be mounted below a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from maverik_backend.core import passwords
from maverik_backend.core.mail_links import CHANGE_PATH, FORGOT_PATH, SET_PATH
from maverik_backend.texts import pages as texts
from maverik_backend.texts.pages import FormText
from maverik_backend.web.assets import SITE_FOLDER, Assets
from maverik_backend.web.problems import Refusal

STYLE, ICON = "maverik.css", "maverik.svg"
ASSETS = Assets("static", {name: SITE_FOLDER / "static" / name for name in (STYLE, ICON)})

_NOTE = Markup('<p class="{kind}" id="{id}">{text}</p>\n')
_HIDDEN = Markup('<input type="hidden" name="{name}" value="{value}">')
_ALERT = Markup('<div class="alert" role="alert">\n{paragraphs}\n</div>\n')
_PARAGRAPH = Markup("<p>{text}</p>")
_LINK = Markup('<li><a href="{href}">{text}</a></li>')
_REQUIRED = Markup(" required")
_DESCRIBED = Markup(' aria-describedby="{ids}"')
_INVALID = Markup(' aria-invalid="true"')
_LINES = Markup("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something to fill in. ``autocomplete`` is a token of HTML's that tells password managers what it is."""

    name: str
    label: str
    autocomplete: str
    kind: str = "password"
    hint: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A page with one form; ``hidden`` are the fields that come from the page's address."""

    path: str
    text: FormText
    fields: tuple[Field, ...]
    hidden: tuple[str, ...] = ()


_EMAIL = Field(name="email", label=texts.EMAIL, autocomplete="username", kind="email")
_CURRENT = Field(name="clave_actual", label=texts.CURRENT_KEY, autocomplete="current-password")
_NEW = Field(
    name="clave_nueva",
    label=texts.NEW_KEY,
    autocomplete="new-password",
    hint=texts.KEY_HINT.format(min=passwords.MIN_CHARS, max=passwords.MAX_CHARS),
)
_CODE = Field(
    name="codigo",
    label=texts.CODE,
    autocomplete="one-time-code",
    kind="text",
    hint=texts.CODE_HINT,
    is_required=False,
)
_REPEATED = Field(name="clave_repetida", label=texts.REPEATED_KEY, autocomplete="new-password")

SET = Form(path=SET_PATH, text=texts.SET, fields=(_NEW, _REPEATED), hidden=("token",))
FORGOT = Form(path=FORGOT_PATH, text=texts.FORGOT, fields=(_EMAIL,))
CHANGE = Form(path=CHANGE_PATH, text=texts.CHANGE, fields=(_EMAIL, _CURRENT, _CODE, _NEW, _REPEATED))

_WAYS = ((FORGOT_PATH, texts.TO_FORGOT), (CHANGE_PATH, texts.TO_CHANGE))


def form_page(
    form: Form, *, frontend_url: str, sent: Mapping[str, str] | None = None, refusal: Refusal | None = None
) -> HTMLResponse:
    """The form, filled with what was ``sent`` except for keys and codes, and with what is wrong with that."""
    sent = sent or {}
    errors = {error.field: error.message for error in refusal.fields} if refusal else {}
    fields = [_HIDDEN.format(name=name, value=sent.get(name, "")) for name in form.hidden]
    fields += [_field(field, sent, errors.get(field.name)) for field in form.fields]
    content = _template("form").format(
        alert=_alert(form, refusal) if refusal else "",
        intro=form.text.intro,
        action=_last_part(form.path),
        fields=_LINES.join(fields),
        button=form.text.button,
    )
    if refusal:
        return _refused(form, content=content, frontend_url=frontend_url, refusal=refusal)
    title = form.text.title
    return HTMLResponse(_page(form, title=title, head_title=title, content=content, frontend_url=frontend_url))


def done_page(form: Form, *, frontend_url: str, remark: str | None = None) -> HTMLResponse:
    """What stands in the place of a form that was accepted, and a ``remark`` on this one."""
    title, said = form.text.done_title, [form.text.done, *([remark] if remark else [])]
    content = _LINES.join(_PARAGRAPH.format(text=text) for text in said)
    return HTMLResponse(_page(form, title=title, head_title=title, content=content, frontend_url=frontend_url))


def incomplete_link_page(form: Form, *, frontend_url: str) -> HTMLResponse:
    """For a mailed link that was cut somewhere on its way."""
    title, content = form.text.title, _PARAGRAPH.format(text=texts.LINK_INCOMPLETE)
    return HTMLResponse(_page(form, title=title, head_title=title, content=content, frontend_url=frontend_url))


def refusal_page(form: Form, *, frontend_url: str, refusal: Refusal) -> HTMLResponse:
    """In the place of a form that would be refused, whatever was filled in."""
    return _refused(form, content=_alert(form, refusal), frontend_url=frontend_url, refusal=refusal)


def _refused(form: Form, *, content: Markup, frontend_url: str, refusal: Refusal) -> HTMLResponse:
    head_title = texts.ERROR_TITLE.format(title=form.text.title)
    page = _page(form, title=form.text.title, head_title=head_title, content=content, frontend_url=frontend_url)
    return HTMLResponse(page, status_code=refusal.problem.status, headers=dict(refusal.headers))


def _page(form: Form, *, title: str, head_title: str, content: Markup, frontend_url: str) -> Markup:
    links = [_LINK.format(href=_last_part(path), text=text) for path, text in _WAYS if path != form.path]
    links.append(_LINK.format(href=frontend_url, text=texts.TO_FRONTEND))
    return _template("page").format(
        head_title=head_title,
        title=title,
        stylesheet=ASSETS.href(STYLE),
        icon=ASSETS.href(ICON),
        content=content,
        links=_LINES.join(links),
    )


def _alert(form: Form, refusal: Refusal) -> Markup:
    """What is wrong as a whole, and with what is not on the page."""
    shown = {field.name for field in form.fields}
    messages = [error.message for error in refusal.fields if error.field not in shown]
    paragraphs = [_PARAGRAPH.format(text=text) for text in messages or [refusal.problem.text.detail]]
    return _ALERT.format(paragraphs=_LINES.join(paragraphs))


def _field(field: Field, sent: Mapping[str, str], error: str | None) -> Markup:
    notes = {"hint": field.hint, "error": error or ""}
    ids = {kind: f"{field.name}-{kind}" for kind, text in notes.items() if text}
    described = _DESCRIBED.format(ids=" ".join(ids.values())) if ids else Markup()
    return _template("field").format(
        name=field.name,
        label=field.label,
        kind=field.kind,
        autocomplete=field.autocomplete,
        value=sent.get(field.name, "") if field.kind == "email" else "",
        notes=Markup().join(_NOTE.format(kind=kind, id=id_, text=notes[kind]) for kind, id_ in ids.items()),
        state=(_REQUIRED if field.is_required else Markup()) + described + (_INVALID if error else Markup()),
    )


def _last_part(path: str) -> str:
    """How pages of one folder name each other."""
    return path.rpartition("/")[2]


@cache
def _template(name: str) -> Markup:
    return Markup((SITE_FOLDER / f"{name}.html").read_text(encoding="utf-8").rstrip("\n"))  # noqa: S704 - our own file
