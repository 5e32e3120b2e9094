"""The transactional outbox: a mail is written in the transaction of the fact that it announces, and leaves later.

Delivery is at least once. A worker claims a mail by moving ``proximo_intento`` to the end of a lease and commits; it
sends with no transaction open; then it writes down what happened. A worker that dies in between leaves a lease that
runs out, and the mail is tried again (with the same reference, so a receiver can tell).

===========  ======================================================================================
Rule         Value
===========  ======================================================================================
Lease        the mail timeout plus 60 s
Tries        at once, then after each of :data:`RETRY_DELAYS`, about three days; then *fallido*
Defects      whatever else the making or sending of a mail raises is tried again and given up likewise
At rest      sealed with ``SECRET_KEY``; erased once sent or given up
===========  ======================================================================================
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from maverik_backend.clients.mail.base import Mail, MailSender
from maverik_backend.core import trace
from maverik_backend.core.database import TransactionFactory
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.security import Keyring, Purpose, Unsealable
from maverik_backend.core.trace import Trace
from maverik_backend.errors import RecipientRefused, UpstreamError
from maverik_backend.models import CorreoSaliente, MailState
from maverik_backend.texts.mail import Letter, lay_out

RETRY_DELAYS: Sequence[timedelta] = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)
LEASE_MARGIN = timedelta(seconds=60)
_MAX_COUNT = 2**15 - 1  # what ``intentos`` can hold

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A mail that this worker has for the length of a lease."""

    id: int
    attempts: int
    sealed: str


def enqueue(session: Session, *, keyring: Keyring, to: str, letter: Letter) -> None:
    """Write ``letter`` to ``to`` into the outbox, as part of the caller's transaction."""
    text, html = lay_out(letter)
    # The row's id says which mail this is only within one database: others number theirs from one as well.
    content = {"to": to, "subject": letter.subject, "text": text, "html": html, "uuid": uuid.uuid4().hex}
    sealed = keyring.seal(json.dumps(content, ensure_ascii=False).encode(), purpose=Purpose.OUTBOX)
    session.add(CorreoSaliente(asunto=letter.subject, carga=sealed))


def get_unsent(session: Session) -> Sequence[CorreoSaliente]:
    """Mails that wait or were given up, oldest first."""
    return session.scalars(
        select(CorreoSaliente).where(CorreoSaliente.estado != MailState.SENT).order_by(CorreoSaliente.id)
    ).all()


class Outbox:
    """Delivers what waits in the table. Any number of these may run at once, in any number of processes."""

    def __init__(
        self, *, transaction: TransactionFactory, sender: MailSender, keyring: Keyring, mail_timeout_s: float
    ) -> None:
        self._transaction = transaction
        self._sender = sender
        self._keyring = keyring
        self._mail_timeout_s = mail_timeout_s

    def deliver_due(self) -> int:
        """Try every mail that is due, one after the other; returns how many left.

        Raises:
            DatabaseUnavailable: when the table cannot be reached; nothing is lost by it.
        """
        sent = 0
        while claim := self._claim():
            sent += self._deliver(claim)
        return sent

    def deliver_next(self) -> bool:
        """Try the mail that is due, if there is one; whether there was, so that there may be more.

        Raises:
            DatabaseUnavailable: as above.
        """
        claim = self._claim()
        if claim is None:
            return False
        self._deliver(claim)
        return True

    def _claim(self) -> _Claim | None:
        """Take the mail that has been due for longest and that no other worker is looking at."""
        lease = timedelta(seconds=self._mail_timeout_s) + LEASE_MARGIN
        due = (
            select(CorreoSaliente.id)
            .where(CorreoSaliente.estado == MailState.PENDING, CorreoSaliente.proximo_intento <= func.now())
            .order_by(CorreoSaliente.proximo_intento, CorreoSaliente.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(CorreoSaliente)
            # `=`, not `IN`: PostgreSQL evaluates this once, but may repeat a subquery of IN and so lock several mails.
            .where(CorreoSaliente.id == due.scalar_subquery())
            # Bounded: one count too large would fail here, and stop the mails behind it as well.
            .values(
                proximo_intento=func.now() + lease, intentos=func.least(CorreoSaliente.intentos, _MAX_COUNT - 1) + 1
            )
            .returning(CorreoSaliente.id, CorreoSaliente.intentos, CorreoSaliente.carga)
        )
        with self._transaction() as session:
            row = session.execute(statement).one_or_none()
        return None if row is None else _Claim(row.id, row.intentos, row.carga or "")

    def _deliver(self, claim: _Claim) -> bool:
        """Try it once, as a trace of its own: no request waits for it."""
        with trace.following(Trace.new()):
            return self._try(claim)

    def _try(self, claim: _Claim) -> bool:
        if claim.attempts > len(RETRY_DELAYS) + 1:
            # Nobody wrote down how the last try ended: each time, whoever sent it was gone.
            self._settle(claim, error="defect", give_up=True)
            return False
        try:
            mail = self._unseal(claim)
            self._sender.send(mail, deadline=Deadline.after(self._mail_timeout_s))
        except Unsealable:
            self._settle(claim, error="unsealable", give_up=True)
        except UpstreamError as error:
            self._settle(claim, error=error.reason, give_up=isinstance(error, RecipientRefused))
        except Exception as error:  # noqa: BLE001 - a mail that nobody settles would be leased again and again
            # Without traceback and message: they may quote a header or the content.
            _log.error("mail_defect", mail_id=claim.id, error=type(error).__name__)
            self._settle(claim, error="defect")
        else:
            self._settle(claim)
            return True
        return False

    def _unseal(self, claim: _Claim) -> Mail:
        content = json.loads(self._keyring.unseal(claim.sealed, purpose=Purpose.OUTBOX))
        reference = f"maverik-{claim.id:010d}"
        if unique := content.pop("uuid", None):  # mails sealed by earlier versions have none
            reference += f"-{unique}"
        return Mail(**content, reference=reference)

    def _settle(self, claim: _Claim, *, error: str | None = None, give_up: bool = False) -> None:
        """Write down how the try ended: sent, given up, or to be tried again later.

        Not when the lease ran out meanwhile and somebody else has the mail, or settled it: their word counts then.
        """
        give_up = give_up or (error is not None and claim.attempts > len(RETRY_DELAYS))
        values: dict[str, object] = {"ultimo_error": error}
        if error is None:
            values |= {"estado": MailState.SENT, "carga": None, "fecha_envio": func.now()}
        elif give_up:
            values |= {"estado": MailState.FAILED, "carga": None}
        else:
            values |= {"proximo_intento": func.now() + RETRY_DELAYS[claim.attempts - 1]}
        still_ours = (
            CorreoSaliente.id == claim.id,
            CorreoSaliente.estado == MailState.PENDING,
            CorreoSaliente.intentos == claim.attempts,
        )
        statement = update(CorreoSaliente).where(*still_ours).values(**values).returning(CorreoSaliente.id)
        with self._transaction() as session:
            settled = session.execute(statement).one_or_none() is not None
        if not settled:
            _log.warning("mail_lease_lost", mail_id=claim.id, attempts=claim.attempts)
        _log_outcome(claim, error=error, give_up=give_up)


def _log_outcome(claim: _Claim, *, error: str | None, give_up: bool) -> None:
    if error is None:
        _log.info("mail_sent", mail_id=claim.id, attempts=claim.attempts)
    elif give_up:
        _log.error("mail_given_up", mail_id=claim.id, attempts=claim.attempts, error=error)
    else:
        _log.warning("mail_not_sent_yet", mail_id=claim.id, attempts=claim.attempts, error=error)
