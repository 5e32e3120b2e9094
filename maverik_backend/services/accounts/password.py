"""Setting, changing and restoring keys.

A mailed key expires unless it is used in time (services/accounts/auth.py clears its end with the first login), a
mailed link always, and it works once. Setting a key ends every other login and says so by mail, so that nobody
loses an account without noticing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from maverik_backend.core import passwords
from maverik_backend.core.addresses import mailbox_of
from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.mail_links import Links
from maverik_backend.core.security import Keyring, PasswordHasher, generate_temporary_password
from maverik_backend.errors import FieldError, InvalidInput, SecondFactorRequired, WrongSecondFactor
from maverik_backend.models import EnlaceClave, InicioSesion, SecurityEvent, Usuario
from maverik_backend.services.accounts import auth, second_factor
from maverik_backend.services.accounts import event as events
from maverik_backend.services.accounts.auth import SignedIn
from maverik_backend.services.accounts.event import NOBODY
from maverik_backend.services.accounts.login import Login, Logins
from maverik_backend.services.accounts.second_factor import SecondFactors
from maverik_backend.services.jobs import outbox
from maverik_backend.services.limits import Action, Throttle
from maverik_backend.texts import mail as letters
from maverik_backend.texts import validation as texts
from maverik_backend.texts.mail import Letter

NEW_PASSWORD_FIELD = "clave_nueva"  # noqa: S105 - the name of a field
CODE_FIELD = "codigo"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # holds a key and a link, which no log shall show
class MailedKey:
    """A temporary key and a link to set another, both about to be mailed. Neither is stored as it is."""

    key: str
    key_hash: str
    link_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetDone:
    """What came of a :class:`Reset`: a login, or none, and whether signing in asks for a code as well."""

    login: Login | None
    needs_code: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)  # holds a key, a link and a code, which no log shall show
class Reset:
    """A key to be set with the token of a mailed link; ``code`` is of a second factor, normalised.

    ``signs_in`` is false for what only sets the key and would throw the tokens away.
    """

    token: str
    new_password: str
    code: str | None = None
    renews_tokens: bool = False
    signs_in: bool = True


class Passwords:
    """The use cases around keys; each opens its own short transactions, because hashing is slow on purpose."""

    def __init__(
        self,
        *,
        transaction: TransactionFactory,
        hasher: PasswordHasher,
        keyring: Keyring,
        throttle: Throttle,
        logins: Logins,
        second_factors: SecondFactors,
        links: Links,
        temporary_key_ttl: timedelta,
        reset_link_ttl: timedelta,
    ) -> None:
        self._transaction = transaction
        self._hasher = hasher
        self._keyring = keyring
        self._throttle = throttle
        self._logins = logins
        self._second_factors = second_factors
        self.links = links
        self._temporary_key_ttl = temporary_key_ttl
        self._reset_link_ttl = reset_link_ttl

    def request_reset(self, *, email: str, client_info: ClientInfo) -> None:
        """Mail a link to set a new key; to an address without account, mail just that.

        The same statements run in both cases, so the answer's time tells nothing.

        Raises:
            TooManyTries: when mails to the address or from the client's address were asked for too often.
        """
        self._count_mail(email, client_info)
        token = secrets.token_urlsafe(32)
        with self._transaction() as session:
            whose = func.lower(Usuario.email) == email
            user_id = self._store_link(session, whose, token=token, ttl=self._reset_link_ttl)
            events.record(session, SecurityEvent.RESET_REQUESTED, user_id=user_id, client_info=client_info)
            to, instead = self.mail_without_key(
                session, email, otherwise=letters.no_account(forgot_url=self.links.forgot)
            )
            minutes = self._reset_link_ttl // timedelta(minutes=1)
            reset_link = letters.reset_link(link=self.links.with_token(token), minutes=minutes)
            letter = instead if user_id is None else reset_link
            outbox.enqueue(session, keyring=self._keyring, to=to, letter=letter)

    def resend_key(self, *, email: str, client_info: ClientInfo) -> None:
        """Mail a fresh temporary key to somebody who never used theirs; to others, mail what they can do instead.

        A key without an end is one that the person may know by heart, from before an upgrade: it is not replaced
        because somebody typed their address. The same statements run in every case.

        Raises:
            TooManyTries: as :meth:`request_reset`.
        """
        self._count_mail(email, client_info)
        mailed = self.make_mailed_key()
        with self._transaction() as session:
            user_id = session.scalar(
                update(Usuario)
                .where(
                    func.lower(Usuario.email) == email,
                    Usuario.email_verificado.is_(None),
                    Usuario.debe_cambiar_clave,
                    Usuario.clave_vence.is_not(None),
                    Usuario.deshabilitado.is_(None),
                )
                .values(clave_hash=mailed.key_hash, clave_vence=self.temporary_key_expiry())
                .returning(Usuario.id)
            )
            events.record(session, SecurityEvent.KEY_RESENT, user_id=user_id, client_info=client_info)
            to, instead = self.mail_without_key(
                session, email, otherwise=letters.nothing_to_resend(forgot_url=self.links.forgot)
            )
            self.mail_key(
                session, user_id=user_id, email=to, mailed=mailed, instead=instead if user_id is None else None
            )

    def require_link(self, token: str, *, client_info: ClientInfo) -> None:
        """Demand that the token of a mailed link holds; it is not used up.

        Raises:
            TooManyTries: when this was tried too often from the client's address; resetting counts as well.
            InvalidInput: when it does not hold.
        """
        self._throttle.count(Action.RESET_FROM_ADDRESS, client_info.limit_address)
        with self._transaction() as session:
            if session.scalar(_owner_of(token)) is None:
                raise _link_expired()

    def reset(self, reset: Reset, *, client_info: ClientInfo) -> ResetDone:
        """Set a key with a mailed link, which is used up; ends every login and opens one, whatever locks the account.

        None is opened unless ``reset.signs_in``.

        A link is one factor: where the account asks for a second and no code came, the key is set and nothing opened.
        Neither is the second factor's limit started anew. That the account asks for one is told: who has the link reads
        the mails of its owner.

        Raises:
            TooManyTries: when this was tried too often from the client's address, or codes of the account were.
            InvalidInput: when the link does not hold, or the key or the code is not acceptable; then the link stays.
        """
        self._throttle.count(Action.RESET_FROM_ADDRESS, client_info.limit_address)
        _require_unguessable(reset.new_password)
        with self._transaction() as session:
            owner = session.scalar(_owner_of(reset.token))
        self._require_another(owner.clave_hash if owner else None, reset.new_password)
        if owner is not None:
            self._second_factors.count_try(user_id=owner.id, code=reset.code, client_info=client_info)
        new_hash = self._hasher.hash(reset.new_password)
        try:
            with self._transaction() as session:
                user = _lock_owner_of(session, reset.token)
                login = self._reset(session, user, reset, new_hash=new_hash, client_info=client_info)
                needs_code = second_factor.get_active(session, user_id=user.id) is not None
        except WrongSecondFactor:
            self._second_factors.note_failure(user_id=owner.id if owner else NOBODY, client_info=client_info)
            raise InvalidInput([FieldError(CODE_FIELD, texts.WRONG_CODE)]) from None
        self._forgive_tries(user, client_info)
        issued = self._logins.issue(user=user, login=login) if login else None
        return ResetDone(login=issued, needs_code=needs_code)

    def _reset(
        self, session: Session, user: Usuario, reset: Reset, *, new_hash: str, client_info: ClientInfo
    ) -> InicioSesion | None:
        if user.email_verificado is None:
            user.email_verificado = datetime.now(UTC)
            events.record(session, SecurityEvent.EMAIL_VERIFIED, user_id=user.id, client_info=client_info)
        self._set(session, user, reset.new_password, new_hash)
        auth.end_logins(session, user_id=user.id)
        events.record(session, SecurityEvent.PASSWORD_RESET, user_id=user.id, client_info=client_info)
        if not reset.signs_in:
            return None
        try:
            has_second_factor = self._second_factors.demand(
                session, user=user, code=reset.code, client_info=client_info
            )
        except SecondFactorRequired:
            return None
        return self._logins.open(
            session,
            user=user,
            has_second_factor=has_second_factor,
            renews_tokens=reset.renews_tokens,
            client_info=client_info,
        )

    def _forgive_tries(self, user: Usuario, client_info: ClientInfo) -> None:
        """Whoever reads the mailbox is the person: tries of somebody else must not keep them out."""
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT, user.email, client_info.limit_address)
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK, user.email, client_info.network)
        self._throttle.reset_counter(Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE, user.email)
        self._throttle.reset_counter(Action.CONFIRM_KEY, str(user.id))

    def change(self, *, signed_in: SignedIn, current: str, new_password: str, client_info: ClientInfo) -> None:
        """Set another key, knowing the current one; ends every other login.

        Raises:
            TooManyTries: when the current key was tried too often.
            InvalidInput: when it is wrong or the new one is not acceptable.
            NotAuthenticated: when the login ended meanwhile.
        """
        self.require_key(signed_in.user, current, field="clave_actual", client_info=client_info)
        _require_unguessable(new_password)
        self._require_another(signed_in.user.clave_hash, new_password)
        new_hash = self._hasher.hash(new_password)
        with self._transaction() as session:
            user = lock_confirmed(session, signed_in, field="clave_actual")
            self._set(session, user, new_password, new_hash)
            auth.end_logins(session, user_id=user.id, but=signed_in.login_id)
            events.record(session, SecurityEvent.PASSWORD_CHANGED, user_id=user.id, client_info=client_info)

    def require_key(self, user: Usuario, password: str, *, field: str, client_info: ClientInfo) -> None:
        """Demand the person's key again before something that cannot be undone; then :func:`lock_confirmed`.

        Slow on purpose: call it with no transaction open.

        Raises:
            TooManyTries: when it was tried too often.
            InvalidInput: when it is wrong; ``field`` is where it was sent.
        """
        self._throttle.count(Action.CONFIRM_KEY, str(user.id))
        if not self._hasher.verify(user.clave_hash, password):
            with self._transaction() as session:
                events.record_afterwards(
                    session, SecurityEvent.CONFIRMATION_FAILED, user_id=user.id, client_info=client_info
                )
            raise InvalidInput([FieldError(field, texts.WRONG_KEY)])

    def make_mailed_key(self) -> MailedKey:
        """A random key and link. Slow on purpose: call it with no transaction open."""
        key = generate_temporary_password()
        return MailedKey(key=key, key_hash=self._hasher.hash(key), link_token=secrets.token_urlsafe(32))

    def temporary_key_expiry(self) -> datetime:
        return datetime.now(UTC) + self._temporary_key_ttl

    def mail_key(
        self,
        session: Session,
        *,
        user_id: int | None,
        email: str,
        mailed: MailedKey,
        write: Callable[..., Letter] = letters.welcome,
        instead: Letter | None = None,
    ) -> None:
        """Mail the key and its link, as ``write`` puts it, to the account that holds the key's hash already.

        Its earlier links end.

        Without such an account, ``instead`` is mailed; the statements are the same, so their time tells nothing.
        """
        whose = Usuario.id == (user_id or NOBODY)
        session.execute(delete(EnlaceClave).where(EnlaceClave.usuario_id == (user_id or NOBODY)))
        self._store_link(session, whose, token=mailed.link_token, ttl=self._temporary_key_ttl)
        hours = self._temporary_key_ttl // timedelta(hours=1)
        letter = write(
            key=mailed.key,
            link=self.links.with_token(mailed.link_token),
            frontend_url=self.links.frontend,
            change_url=self.links.change,
            hours=hours,
        )
        outbox.enqueue(session, keyring=self._keyring, to=email, letter=instead or letter)

    def mail_without_key(self, session: Session, email: str, *, otherwise: Letter) -> tuple[str, Letter]:
        """Whom to write when ``email`` was typed, and what when there is no key for them.

        The first is the account's own address where there is one: databases and people have more than one idea of which
        letters are the same. The second is the same to every disabled account, whatever was asked for.

        It is always asked whether there is one, so that its time tells nothing.
        """
        account = select(Usuario.email, Usuario.deshabilitado.is_not(None)).where(func.lower(Usuario.email) == email)
        to, is_disabled = session.execute(account).one_or_none() or (email, False)
        disabled = letters.disabled(frontend_url=self.links.frontend, support=self.links.support)
        return to, disabled if is_disabled else otherwise

    def _require_another(self, current_hash: str | None, new_password: str) -> None:
        """Refuse the current key as the new one: a mailed key would become one for ever. The work is always done."""
        if self._hasher.verify(current_hash, new_password):
            raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_CURRENT)])

    def _set(self, session: Session, user: Usuario, new_password: str, new_hash: str) -> None:
        if passwords.is_address(new_password, user.email):
            raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_ADDRESS)])
        if passwords.is_about(new_password, user.email):
            raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_ABOUT)])
        user.clave_hash = new_hash
        user.debe_cambiar_clave = False
        user.clave_vence = None
        session.execute(delete(EnlaceClave).where(EnlaceClave.usuario_id == user.id))
        letter = letters.password_changed(forgot_url=self.links.forgot)
        outbox.enqueue(session, keyring=self._keyring, to=user.email, letter=letter)

    def _store_link(self, session: Session, whose: ColumnElement[bool], *, token: str, ttl: timedelta) -> int | None:
        """Keep the link's digest for the account that ``whose`` finds, unless disabled; its id, or ``None``."""
        owner = select(Usuario.id, literal(_digest(token)), literal(datetime.now(UTC) + ttl)).where(
            whose, Usuario.deshabilitado.is_(None)
        )
        # Whoever is being erased is waited for, and has no account then.
        owner = owner.with_for_update(read=True, key_share=True)
        return session.scalar(
            insert(EnlaceClave).from_select(["usuario_id", "resumen", "vence"], owner).returning(EnlaceClave.usuario_id)
        )

    def _count_mail(self, email: str, client_info: ClientInfo) -> None:
        self._throttle.count(Action.MAIL_FROM_ADDRESS, client_info.limit_address)
        self._throttle.count(Action.MAIL_TO_ACCOUNT, mailbox_of(email))


def _owner_of(token: str) -> Select[Usuario]:
    """Finds whose link this is, while it holds and the account is enabled."""
    return (
        select(Usuario)
        .join(EnlaceClave, EnlaceClave.usuario_id == Usuario.id)
        .where(EnlaceClave.resumen == _digest(token), EnlaceClave.vence > func.now(), Usuario.deshabilitado.is_(None))
    )


def _lock_owner_of(session: Session, token: str) -> Usuario:
    """Whose link this is, their row and the link locked.

    Whatever replaces a key ends its links: while this one is there, the key is the one that was compared with the new.

    Raises:
        InvalidInput: when the link does not hold.
    """
    # The person is locked before the link, as everywhere.
    user = session.scalar(_owner_of(token).with_for_update(of=(Usuario, EnlaceClave)))
    if user is None:
        raise _link_expired()
    return user


def _link_expired() -> InvalidInput:
    return InvalidInput([FieldError("token", texts.LINK_EXPIRED)])


def lock_confirmed(session: Session, signed_in: SignedIn, *, field: str) -> Usuario:
    """The person whose key was demanded before this transaction, locked; all that was true then is true now.

    Raises:
        NotAuthenticated: when the login was closed, or the account disabled or erased meanwhile.
        InvalidInput: when the key is another by now; ``field`` is where it was sent.
    """
    user = auth.lock(session, signed_in)
    if user.clave_hash != signed_in.user.clave_hash:
        raise InvalidInput([FieldError(field, texts.WRONG_KEY)])
    return user


def _digest(token: str) -> bytes:
    """What is stored of a link: enough to recognise it, nothing to follow it with."""
    return hashlib.sha256(token.encode()).digest()


def _require_unguessable(new_password: str) -> None:
    if passwords.is_common(new_password):
        raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_COMMON)])
    if passwords.is_predictable(new_password):
        raise InvalidInput([FieldError(NEW_PASSWORD_FIELD, texts.KEY_IS_PREDICTABLE)])
