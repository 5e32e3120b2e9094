"""People: signing up, the investor profile, and what is held about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select, text
from sqlalchemy import update as sql_update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from maverik_backend.core.addresses import mailbox_of
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.security import Keyring
from maverik_backend.models import (
    Base,
    EventoSeguridad,
    SecurityEvent,
    SesionAsesoria,
    SesionAsesoriaDetalle,
    Usuario,
)
from maverik_backend.schemas.user import UsuarioActualizarRequest, UsuarioCrearRequest
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.auth import SignedIn
from maverik_backend.services.accounts.password import Passwords, lock_confirmed
from maverik_backend.services.catalogs import Catalogs
from maverik_backend.services.jobs import outbox
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters

KEY_FIELD = "clave"
# Secrets, and what is meaningless to a person: everything else held about them is exported.
NOT_EXPORTED = {
    "usuario": {"clave_hash"},
    "inicio_sesion": {"rotacion", "rotacion_repetida"},
    "enlace_clave": {"resumen"},
    "pedido_idempotente": {"resumen"},
    "segundo_factor": {"secreto", "ultimo_paso"},
    "codigo_recuperacion": {"resumen"},
    "sesion_asesoria_detalle": {"texto_plano", "intento_plano"},  # made of ``texto_sistema``
}
# Every table that says whose its rows are: a new one is exported and erased without anybody having to think of it.
OWNED: tuple[Any, ...] = tuple(
    mapper.class_ for mapper in Base.registry.mappers if "usuario_id" in mapper.local_table.columns
)


# An id for everybody who signs up: that of their account, or, where the address has one already, of none.
_NEXT = select(func.nextval(func.pg_get_serial_sequence(Usuario.__tablename__, "id")), func.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """A sign-up as it is answered: ``user_id`` is of no account where the address had one already."""

    user_id: int
    created: datetime


def sign_up(
    transaction: TransactionFactory,
    *,
    data: UsuarioCrearRequest,
    catalogs: Catalogs,
    passwords: Passwords,
    throttle: Throttle,
    client_info: ClientInfo,
) -> SignUp:
    """Create the person and mail a temporary key; to an address that has an account already, mail just that.

    The client learns the same in both cases, after the same work, so addresses cannot be probed here.

    Raises:
        TooManyTries: when too many accounts were asked for from the client's address, or mails to this one.
        InvalidInput: when an answer is not in its catalogue.
    """
    answers = _catalog_ids(data.model_dump())
    catalogs.check(answers)
    throttle.count(Action.SIGN_UP_FROM_ADDRESS, client_info.limit_address)
    throttle.count(Action.SIGN_UP_AS_ACCOUNT, mailbox_of(data.email))
    mailed = passwords.make_mailed_key()
    with transaction() as session:
        taken = session.execute(_NEXT).one()
        created = session.scalar(
            insert(Usuario)
            .values(
                id=taken.nextval,
                email=data.email,
                clave_hash=mailed.key_hash,
                debe_cambiar_clave=True,
                clave_vence=passwords.temporary_key_expiry(),
                fecha_nacimiento=data.fecha_nacimiento,
                **answers,
            )
            .on_conflict_do_nothing(index_elements=[text("lower(email::text)")])
            .returning(Usuario.id)
        )
        events.record(session, SecurityEvent.SIGNED_UP, user_id=created, client_info=client_info)
        to, instead = passwords.mail_without_key(
            session, data.email, otherwise=letters.already_registered(forgot_url=passwords.links.forgot)
        )
        passwords.mail_key(
            session, user_id=created, email=to, mailed=mailed, instead=instead if created is None else None
        )
    return SignUp(user_id=taken.nextval, created=taken.now)


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


def delete(
    transaction: TransactionFactory,
    *,
    signed_in: SignedIn,
    password: str,
    passwords: Passwords,
    keyring: Keyring,
    client_info: ClientInfo,
) -> None:
    """Erase the person who asks for it with their key.

    Raises:
        TooManyTries: when the key was tried too often.
        InvalidInput: when it is wrong.
        NotAuthenticated: when the login ended meanwhile; of two requests at once, one erases.
    """
    passwords.require_key(signed_in.user, password, field=KEY_FIELD, client_info=client_info)
    with transaction() as session:
        user = lock_confirmed(session, signed_in, field=KEY_FIELD)
        erase(session, user=user, keyring=keyring, support=passwords.links.support)


def erase(session: Session, *, user: Usuario, keyring: Keyring, support: str | None) -> None:
    """Delete the person, whose row is locked, with everything they said; what stays for security names nobody.

    The goodbye mail is written in the same transaction. Mails that wait stay: they are sealed, leave, and are erased.
    """
    mine = select(SesionAsesoria.id).where(SesionAsesoria.usuario_id == user.id).with_for_update()
    session.execute(
        sql_delete(SesionAsesoriaDetalle).where(
            SesionAsesoriaDetalle.sesion_asesoria_id.in_(session.scalars(mine).all())
        )
    )
    session.execute(
        sql_update(EventoSeguridad).where(EventoSeguridad.usuario_id == user.id).values(usuario_id=None, direccion=None)
    )
    for table in OWNED:
        session.execute(sql_delete(table).where(table.usuario_id == user.id))
    events.record(session, SecurityEvent.DELETED, user_id=None)
    outbox.enqueue(session, keyring=keyring, to=user.email, letter=letters.account_deleted(support=support))
    session.execute(sql_delete(Usuario).where(Usuario.id == user.id))


def _catalog_ids(values: dict[str, Any]) -> dict[str, int | None]:
    return {field: value for field, value in values.items() if field.endswith("_id")}
