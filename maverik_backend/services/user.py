"""People: signing up, and the investor profile they keep."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from maverik_backend.core.security import Keyring, PasswordHasher, generate_temporary_password
from maverik_backend.errors import NotAuthenticated
from maverik_backend.models import Usuario
from maverik_backend.schemas.user import UsuarioActualizarRequest, UsuarioCrearRequest
from maverik_backend.services import outbox
from maverik_backend.services.catalog import Catalogs
from maverik_backend.texts import mail as letters


def sign_up(
    session: Session,
    *,
    data: UsuarioCrearRequest,
    catalogs: Catalogs,
    hasher: PasswordHasher,
    keyring: Keyring,
    frontend_url: str,
) -> None:
    """Create the person and mail a temporary key; to an address that has an account already, mail just that.

    The caller learns the same in both cases, after the same work, so addresses cannot be probed here.

    Raises:
        InvalidInput: when an answer is not in its catalogue.
    """
    answers = _catalog_ids(data.model_dump())
    catalogs.check(answers)
    password = generate_temporary_password()
    password_hash = hasher.hash(password)
    created = session.scalar(
        insert(Usuario)
        .values(email=data.email, clave_hash=password_hash, fecha_nacimiento=data.fecha_nacimiento, **answers)
        .on_conflict_do_nothing(index_elements=[text("lower(email::text)")])
        .returning(Usuario.id)
    )
    letter = (
        letters.already_registered(frontend_url=frontend_url)
        if created is None
        else letters.welcome(key=password, frontend_url=frontend_url)
    )
    outbox.enqueue(session, keyring=keyring, to=data.email, letter=letter)


def get_or_raise(session: Session, *, user_id: int) -> Usuario:
    """The person behind a token.

    Raises:
        NotAuthenticated: when the account is gone.
    """
    user = session.get(Usuario, user_id)
    if user is None:
        raise NotAuthenticated("no such user")
    return user


def update(session: Session, *, user: Usuario, changes: UsuarioActualizarRequest, catalogs: Catalogs) -> Usuario:
    """Write the fields that ``changes`` names; the others stay.

    Raises:
        InvalidInput: when an answer is not in its catalogue.
    """
    values = changes.model_dump(include=changes.model_fields_set)
    catalogs.check(_catalog_ids(values))
    for field, value in values.items():
        setattr(user, field, value)
    session.flush()
    session.refresh(user, ["fecha_actualizacion"])
    return user


def _catalog_ids(values: dict[str, Any]) -> dict[str, int | None]:
    return {field: value for field, value in values.items() if field.endswith("_id")}
