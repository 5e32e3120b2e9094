"""Our own pages for setting, restoring and changing a key, for people whose frontend has none.

They call the use cases of the JSON API: limits, events, mails and what a client can find out are the same. Opening a
mailed link changes nothing (RFC 9110, section 9.2.1): programs that follow links in mails before people do use none up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import ValidationError

from maverik_backend.core.mail_links import CHANGE_PATH, FORGOT_PATH, SET_PATH
from maverik_backend.errors import MaverikError
from maverik_backend.schemas.forms import CambiarForm, RestablecerForm
from maverik_backend.schemas.user import MAX_LINK_TOKEN_CHARS, CorreoRequest
from maverik_backend.services.accounts import Credentials, Reset, change_signing_in
from maverik_backend.texts.pages import needs_code
from maverik_backend.web import assets, pages, problems
from maverik_backend.web.dependencies import App, CurrentClientInfo
from maverik_backend.web.forms import SentForm
from maverik_backend.web.pages import Form
from maverik_backend.web.resources import Resources

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Token = Annotated[str, Query(max_length=MAX_LINK_TOKEN_CHARS)]


@router.get(SET_PATH)
def show_set(app: App, client_info: CurrentClientInfo, token: Token = "") -> Response:
    frontend_url = app.passwords.links.frontend
    if not token:
        return pages.incomplete_link_page(pages.SET, frontend_url=frontend_url)
    try:
        app.passwords.require_link(token, client_info=client_info)
    except MaverikError as error:  # before a key is thought of and typed twice
        return pages.refusal_page(pages.SET, frontend_url=frontend_url, refusal=problems.refusal_of(error))
    return pages.form_page(pages.SET, frontend_url=frontend_url, sent={"token": token})


@router.post(SET_PATH)
def set_key(sent: SentForm, app: App, client_info: CurrentClientInfo) -> Response:
    def work() -> str | None:
        form = RestablecerForm.model_validate(sent)
        reset = Reset(token=form.token, new_password=form.clave_nueva, signs_in=False)
        done = app.passwords.reset(reset, client_info=client_info)
        return needs_code(app.passwords.links.support) if done.needs_code else None

    return _respond(pages.SET, app, sent, work)


@router.get(FORGOT_PATH)
def show_forgot(app: App) -> Response:
    return pages.form_page(pages.FORGOT, frontend_url=app.passwords.links.frontend)


@router.post(FORGOT_PATH)
def forgot_key(sent: SentForm, app: App, client_info: CurrentClientInfo) -> Response:
    def work() -> None:
        form = CorreoRequest.model_validate(sent)
        app.passwords.request_reset(email=form.email, client_info=client_info)

    return _respond(pages.FORGOT, app, sent, work)


@router.get(CHANGE_PATH)
def show_change(app: App) -> Response:
    return pages.form_page(pages.CHANGE, frontend_url=app.passwords.links.frontend)


@router.post(CHANGE_PATH)
def change_key(sent: SentForm, app: App, client_info: CurrentClientInfo) -> Response:
    def work() -> None:
        form = CambiarForm.model_validate(sent)
        change_signing_in(
            app.database.transaction,
            authenticator=app.authenticator,
            tokens=app.tokens,
            passwords=app.passwords,
            credentials=Credentials(email=form.email, password=form.clave_actual, code=form.codigo),
            new_password=form.clave_nueva,
            client_info=client_info,
        )

    return _respond(pages.CHANGE, app, sent, work)


@router.get(f"/{pages.ASSETS.prefix}{assets.ROUTE}")
def get_asset(version: assets.Segment, name: assets.Segment) -> FileResponse:
    return pages.ASSETS.response(version, name)


def _respond(form: Form, app: Resources, sent: Mapping[str, str], work: Callable[[], str | None]) -> Response:
    """What the person sees next: that it is done, with what ``work`` remarks, or the form again with what is wrong."""
    frontend_url = app.passwords.links.frontend
    try:
        remark = work()
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        refusal = problems.refusal_of_shape(details, part="form")
    except MaverikError as error:
        refusal = problems.refusal_of(error)
    else:
        return pages.done_page(form, frontend_url=frontend_url, remark=remark)
    return pages.form_page(form, frontend_url=frontend_url, sent=sent, refusal=refusal)
