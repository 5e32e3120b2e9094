"""What operators do to accounts, from the command line.

:func:`merge` also works on the tables of installations from before this repository: it is what resolves a shared
address that keeps them from being upgraded. So it asks the database which tables there are instead of the models.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from maverik_backend.core.addresses import canonical, is_mailable
from maverik_backend.core.mail_links import Links
from maverik_backend.core.security import Keyring
from maverik_backend.errors import (
    AccountDisabled,
    AddressGetsNoMail,
    AlreadyExists,
    MergeEndsSecondFactor,
    NotFound,
    SecondFactorInactive,
)
from maverik_backend.models import EventoSeguridad, SecurityEvent, SegundoFactor, Usuario
from maverik_backend.services.accounts import auth, second_factor
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.password import MailedKey, Passwords
from maverik_backend.services.jobs import outbox
from maverik_backend.texts import mail as letters

# Tables that belong to a person through a column ``usuario_id``, in any release, and what becomes of them in a merge.
# What lets somebody in as the account that goes must not let them in as the one that stays.
MOVED_TABLES = ("sesion_asesoria", "evento_seguridad")
ENDED_TABLES = ("inicio_sesion", "enlace_clave", "pedido_idempotente", "segundo_factor", "codigo_recuperacion")


def get_all(session: Session) -> Sequence[Usuario]:
    """Every account, oldest first."""
    return session.scalars(select(Usuario).order_by(Usuario.id)).all()


def get_or_raise(session: Session, *, email: str, for_update: bool = False) -> Usuario:
    """The account with this address; with ``for_update`` its row is locked.

    Raises:
        NotFound: when there is none.
    """
    query = select(Usuario).where(func.lower(Usuario.email) == canonical(email))
    user = session.scalar(query.with_for_update() if for_update else query)
    if user is None:
        raise NotFound("user")
    return user


def create(session: Session, *, email: str, passwords: Passwords, mailed: MailedKey) -> None:
    """An account with the questionnaire's first answers; its owner gets the welcome mail and corrects them.

    Raises:
        AlreadyExists: when the address has one.
    """
    if session.scalar(select(Usuario.id).where(func.lower(Usuario.email) == email)) is not None:
        raise AlreadyExists(email)
    user = Usuario(
        email=email,
        clave_hash=mailed.key_hash,
        debe_cambiar_clave=True,
        clave_vence=passwords.temporary_key_expiry(),
    )
    session.add(user)
    session.flush()
    events.record(session, SecurityEvent.SIGNED_UP, user_id=user.id)
    passwords.mail_key(session, user_id=user.id, email=email, mailed=mailed)


def set_disabled(session: Session, *, email: str, disabled: bool) -> None:
    """Close the account and every login of it, or open it again.

    Raises:
        NotFound: when there is no such account.
    """
    user = get_or_raise(session, email=email)
    user.deshabilitado = func.now() if disabled else None
    if disabled:
        auth.end_logins(session, user_id=user.id)
    event = SecurityEvent.DISABLED if disabled else SecurityEvent.ENABLED
    events.record(session, event, user_id=user.id)


def set_operator(session: Session, *, email: str, operator: bool) -> None:
    """Give the account an operator's rights, or take them; both hold from the next request on.

    Raises:
        NotFound: when there is no such account.
        AccountDisabled: when the account that gets them is closed.
    """
    user = get_or_raise(session, email=email)
    if operator and user.deshabilitado is not None:
        raise AccountDisabled(user.email)
    user.operador = func.now() if operator else None
    event = SecurityEvent.OPERATOR_GRANTED if operator else SecurityEvent.OPERATOR_REVOKED
    events.record(session, event, user_id=user.id)


def remove_factor(session: Session, *, email: str, keyring: Keyring, links: Links) -> None:
    """Remove the second factor of somebody who lost it with the recovery codes; ends every login and says so by mail.

    Raises:
        NotFound: when there is no such account.
        SecondFactorInactive: when it has no second factor.
    """
    user = get_or_raise(session, email=email, for_update=True)
    if not second_factor.remove(session, user_id=user.id):
        raise SecondFactorInactive(user.email)
    auth.end_logins(session, user_id=user.id)
    events.record(session, SecurityEvent.SECOND_FACTOR_REMOVED, user_id=user.id)
    letter = letters.second_factor_removed_by_operator(frontend_url=links.frontend, support=links.support)
    outbox.enqueue(session, keyring=keyring, to=user.email, letter=letter)


def reset_key(session: Session, *, email: str, passwords: Passwords, mailed: MailedKey) -> None:
    """Replace the key by a temporary one, which is mailed, and end every login and link.

    Raises:
        NotFound: when there is no such account.
        AccountDisabled: when no key would let its owner in.
        AddressGetsNoMail: when the new key would reach nobody.
    """
    user = get_or_raise(session, email=email)
    if user.deshabilitado is not None:
        raise AccountDisabled(user.email)
    if not is_mailable(user.email):
        raise AddressGetsNoMail(user.email)
    is_new = user.email_verificado is None and user.clave_vence is not None
    user.clave_hash = mailed.key_hash
    user.debe_cambiar_clave = True
    user.clave_vence = passwords.temporary_key_expiry()
    auth.end_logins(session, user_id=user.id)
    events.record(session, SecurityEvent.KEY_RESENT, user_id=user.id)
    write = letters.welcome if is_new else partial(letters.key_replaced, support=passwords.links.support)
    passwords.mail_key(session, user_id=user.id, email=user.email, mailed=mailed, write=write)


def summarise(session: Session, *, user_id: int) -> str:
    """An account in a few words, on the tables of any release.

    Raises:
        NotFound: when it is not there.
    """
    email = session.scalar(text("SELECT email FROM usuario WHERE id = :id"), {"id": user_id})
    if email is None:
        raise NotFound("user")
    sessions = session.scalar(text("SELECT count(*) FROM sesion_asesoria WHERE usuario_id = :id"), {"id": user_id})
    return f"{user_id} ({email}, {sessions} sessions)"


def merge(session: Session, *, keep: int, drop: int) -> int:
    """Give ``keep`` everything that ``drop`` owns and remove ``drop``; returns how many sessions moved.

    The key, profile and address of ``keep`` stay as they are; logins and links of ``drop`` end.

    Raises:
        NotFound: when the two are not two existing accounts.
        AddressGetsNoMail: when only ``drop`` has an address that mails can be sent to.
        MergeEndsSecondFactor: when only ``drop`` has a second factor; see :func:`merge_without_factor`.
    """
    emails = _lock_both(session, keep=keep, drop=drop)
    if _ends_factor(session, keep=keep, drop=drop):
        raise MergeEndsSecondFactor(emails[drop])
    return _merge(session, keep=keep, drop=drop)


def merge_without_factor(session: Session, *, keep: int, drop: int, keyring: Keyring, links: Links) -> int:
    """:func:`merge` also where it ends the only second factor; a mail to both addresses and an event say so then.

    Raises:
        NotFound, AddressGetsNoMail: as :func:`merge`.
    """
    emails = _lock_both(session, keep=keep, drop=drop)
    if _ends_factor(session, keep=keep, drop=drop):
        events.record(session, SecurityEvent.SECOND_FACTOR_REMOVED, user_id=keep)
        for email in emails.values():
            letter = letters.merged_without_second_factor(frontend_url=links.frontend, support=links.support)
            outbox.enqueue(session, keyring=keyring, to=email, letter=letter)
    return _merge(session, keep=keep, drop=drop)


def _lock_both(session: Session, *, keep: int, drop: int) -> dict[int, str]:
    """The addresses of both accounts by their ids; their rows are locked."""
    known = session.execute(
        text("SELECT id, email FROM usuario WHERE id IN (:keep, :drop) ORDER BY id FOR UPDATE"),
        {"keep": keep, "drop": drop},
    )
    emails: dict[int, str] = {row.id: row.email for row in known}
    if len(emails) < 2:  # noqa: PLR2004 - both of them
        raise NotFound("user")
    if is_mailable(emails[drop]) and not is_mailable(emails[keep]):
        raise AddressGetsNoMail(emails[keep])
    return emails


def _ends_factor(session: Session, *, keep: int, drop: int) -> bool:
    """Whether what ``drop`` owns is behind a second factor, and would not be any more."""
    if SegundoFactor.__tablename__ not in _tables(session):
        return False
    have = [second_factor.get_active(session, user_id=user_id) is not None for user_id in (keep, drop)]
    return have == [False, True]


def _tables(session: Session) -> set[str]:
    return set(inspect(session.connection()).get_table_names())


def _merge(session: Session, *, keep: int, drop: int) -> int:
    both = {"keep": keep, "drop": drop}
    there = _tables(session)
    moved = {
        table: session.execute(
            text(f"UPDATE {table} SET usuario_id = :keep WHERE usuario_id = :drop RETURNING id"),  # noqa: S608 - ours
            both,
        ).all()
        for table in MOVED_TABLES
        if table in there
    }
    for table in there.intersection(ENDED_TABLES):
        session.execute(text(f"DELETE FROM {table} WHERE usuario_id = :drop"), both)  # noqa: S608 - ours
    session.execute(text("DELETE FROM usuario WHERE id = :drop"), both)
    if EventoSeguridad.__tablename__ in there:
        events.record(session, SecurityEvent.MERGED, user_id=keep)
    return len(moved["sesion_asesoria"])
