"""What can go wrong, in the domain's words.

Nothing here knows HTTP: ``web/problems.py`` holds the one table that turns each kind into a status and a Spanish
text. Messages in these classes are for developers and logs (English); they never carry personal texts or secrets.

    MaverikError
    ├── SettingsError            the process must not start
    ├── InvalidInput             fields that the client can mend
    ├── WrongCredentials         address and key do not match
    ├── SecondFactorRequired     address and key match, a code is missing
    ├── WrongSecondFactor        ... or is not right, or was used before
    ├── SecondFactorActive       there is one already
    ├── SecondFactorInactive     there is none to confirm, renew or remove
    ├── NotAuthenticated         no token, or one that does not hold
    ├── OperatorsOnly            signed in, but no operator
    │   └── OperatorWithoutSecondFactor  ... or one whose login was opened without a second factor
    ├── TooManyTries             a limit of services/limits/throttle.py is used up
    ├── TooManyAtOnce            the principal has as many under way as it may
    │   └── AddressBusy          ... or all clients behind its address together
    ├── QuotaUsedUp              the principal used what it may of language models, in a day or a month
    ├── TooManySessions          the person owns as many sessions as it may
    ├── TooManyDocuments         the principal owns as many documents as it may
    ├── ReadOnly                 it can be read, and changed by operators only
    ├── AlreadyExists            an operator asks for an account that is there
    ├── AccountDisabled          ... or for a key to one that is closed
    ├── NotFound                 it does not exist, or belongs to another principal
    ├── TurnInProgress           one turn at a time in a session
    │   └── SameRequestRunning   ... and it is this very request
    ├── IdempotencyKeyReused     the key came before, with something else
    ├── NothingToRetry           the turn has its answer
    ├── Interrupted              the process that ran the turn is gone
    ├── Cancelled                the turn was stopped while something was waited for
    ├── QueryRefused             a SELECT, or arguments of a declared query, that are not run
    ├── ModelUnavailable         no model has this name, or its provider is not configured
    ├── Overloaded               too many turns, exports or passwords at once
    ├── DatabaseUnavailable      PostgreSQL cannot be reached or is overloaded
    └── UpstreamError            a service outside the process failed
        ├── UpstreamUnreachable  no connection, or it was cut
        ├── UpstreamTimeout      the deadline passed
        ├── UpstreamRejected     it answered with an error status
        │   ├── UpstreamWrongKey        ... as it does not know our key
        │   ├── UpstreamUnknownModel    ... as it has no such model
        │   ├── UpstreamQuotaExhausted  ... as nothing is left to be spent there
        │   ├── UpstreamRateLimited     ... as we ask too often
        │   ├── UpstreamOverloaded      ... as all its clients ask too often
        │   └── UpstreamInputTooLong    ... as a model reads no such long request
        ├── UpstreamCircuitOpen  it kept failing and is given a rest
        ├── UpstreamQueryFailed  a database does not run our statement
        ├── UpstreamUnsafe       a database would show or allow more than it may: it is not asked
        ├── UpstreamStreamFailed an error came instead of the rest of the answer
        ├── UpstreamBadAnswer    it answered something that is not an answer
        │   ├── UpstreamIncomplete      ... but a part of one
        │   └── UpstreamTooLarge        ... but more than is read
        └── RecipientRefused     a mail that will never be taken
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


class MaverikError(Exception):
    """Base of everything that this product raises on purpose."""


class SettingsError(MaverikError):
    """The configuration is missing something or contradicts itself.

    ``problems`` holds one English sentence for each finding, so that all of them can be mended in one go.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot be accepted: where it is, why (Spanish, shown to people), and what would be allowed."""

    field: str
    message: str
    allowed: tuple[int, ...] | None = None


class InvalidInput(MaverikError):
    """The client's data cannot be accepted; ``fields`` says what to mend."""

    def __init__(self, fields: Iterable[FieldError]) -> None:
        self.fields = tuple(fields)
        super().__init__("invalid input: " + ", ".join(field.field for field in self.fields))


class WrongCredentials(MaverikError):
    """The address is unknown or the key does not match; which of the two is never told (OWASP ASVS 5.0, 6.3.8)."""


class SecondFactorRequired(MaverikError):
    """Address and key match, and the account asks for a code besides."""


class WrongSecondFactor(MaverikError):
    """The code is none of this account, of another time, or was used before; which of these is never told."""


class SecondFactorActive(MaverikError):
    """The account has a second factor, which is to be removed before another one is added."""


class SecondFactorInactive(MaverikError):
    """The account has no second factor, or none that waits for its confirmation."""


class MergeEndsSecondFactor(MaverikError):
    """The account that a merge removes has a second factor, and the one that gets its conversations has none."""


class NotAuthenticated(MaverikError):
    """There is no bearer token, or it is not one of ours, not valid now, or its person is gone."""


class OperatorsOnly(MaverikError):
    """The person is signed in and is no operator."""


class OperatorWithoutSecondFactor(OperatorsOnly):
    """The person is an operator, but showed no second factor in this login, and operators need one."""


class TooManyTries(MaverikError):
    """Something was tried too often; ``retry_after_s`` is when it may be tried again, in whole seconds."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"try again in {retry_after_s} s")


class TooManyAtOnce(MaverikError):
    """The principal has as many turns or exports under way as it may have at once."""


class AddressBusy(TooManyAtOnce):
    """The clients behind one address have, together, as many requests of a kind under way as they may have at once."""


class QuotaUsedUp(MaverikError):
    """The principal has used as much of language models as it may in a day, or with ``is_month`` in a month.

    ``ends`` is when it may go on, ``retry_after_s`` how far that is away, in whole seconds.
    """

    def __init__(self, *, ends: datetime, is_month: bool, retry_after_s: int) -> None:
        self.ends = ends
        self.is_month = is_month
        self.retry_after_s = retry_after_s
        super().__init__(f"used up until {ends.isoformat()}")


class TooManySessions(MaverikError):
    """The person owns as many advisory sessions as it may; one has to be deleted first."""


class TooManyDocuments(MaverikError):
    """The principal owns as many documents, or collections of them, as it may; one has to be deleted first."""


class ReadOnly(MaverikError):
    """The principal may see it and not change it: a collection that is shared, and its documents."""


class NotFound(MaverikError):
    """It does not exist or belongs to another principal; the two are deliberately the same answer."""


class AlreadyExists(MaverikError):
    """There is an account with this address; raised for operators only, clients of the API are never told."""


class AccountDisabled(MaverikError):
    """The account is closed; raised for operators only, clients of the API are never told."""


class AddressGetsNoMail(MaverikError):
    """The account has an address that no mail is sent to; raised for operators only."""


class TurnInProgress(MaverikError):
    """The session is answering something else; ``retry_after_s`` is when that must be over, in whole seconds."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("turn in progress")


class SameRequestRunning(TurnInProgress):
    """A request with this idempotency key is still being worked on."""


class IdempotencyKeyReused(MaverikError):
    """This idempotency key came before, with another request."""


class NothingToRetry(MaverikError):
    """The turn has its answer."""


class Interrupted(MaverikError):
    """The process that ran the turn is gone, or leaves; the turn can be retried."""


class Cancelled(MaverikError):
    """The work was cancelled (``core/deadline.py``) while it waited; never answered to a client."""


class ModelUnavailable(MaverikError):
    """No model has the name that was asked for, or its provider is not configured.

    The message is one English sentence for operators: what to write or to set instead.
    """


class QueryRefused(MaverikError):
    """A SELECT that a model wrote, or arguments that it chose, are outside of what a project allows, or do not work.

    The message is an English sentence for the model: what is not possible and what is. It quotes names of tables,
    columns and functions at most, and nothing that a database said.
    """


class Overloaded(MaverikError):
    """So much of a kind is under way, turns or passwords to be hashed, that more of it would only wait."""


class DatabaseUnavailable(MaverikError):
    """PostgreSQL cannot be reached, or no connection was free in time."""


class UpstreamError(MaverikError):
    """A service outside the process failed.

    ``service`` names it (``rag``, ``optimizer``, ``mail``); ``kind`` is the stable name used in logs and stored with
    the turn. The message never quotes what the service sent, which may hold personal text.
    """

    kind: ClassVar[str] = "failed"

    def __init__(self, service: str, detail: str = "") -> None:
        self.service = service
        self.detail = detail
        super().__init__(f"{service}: {self.reason}")

    @property
    def reason(self) -> str:
        """The kind, and in brackets what is known beside it."""
        return f"{self.kind} ({self.detail})" if self.detail else self.kind


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, or it was cut before an answer."""

    kind = "unreachable"


class UpstreamTimeout(UpstreamError):
    """The answer was not complete when the deadline passed."""

    kind = "timeout"


class UpstreamRejected(UpstreamError):
    """It answered with an HTTP status (or SMTP reply) that says no; ``status`` holds it.

    ``retry_after_s`` is how long it asked to be left alone, where it did.
    """

    kind = "rejected"

    def __init__(self, service: str, status: int, *, retry_after_s: float | None = None) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(service, f"status {status}")


class UpstreamBlocked(UpstreamError):
    """A provider's safety filter stopped the request or the answer."""

    kind = "blocked"


class UpstreamWrongKey(UpstreamRejected):
    """The provider does not accept our key: it is wrong, was revoked, or may not do this."""

    kind = "wrong_key"


class UpstreamUnknownModel(UpstreamRejected):
    """The provider has no model of this name, or none for our key."""

    kind = "unknown_model"


class UpstreamQuotaExhausted(UpstreamRejected):
    """Our account at the provider has no credit, or used up what it may in a day or month; waiting does not help."""

    kind = "quota_exhausted"


class UpstreamRateLimited(UpstreamRejected):
    """Our account sent the provider more requests or tokens a minute than it may."""

    kind = "rate_limited"


class UpstreamOverloaded(UpstreamRejected):
    """The provider has no capacity for anyone now (503, or Anthropic's 529)."""

    kind = "overloaded"


class UpstreamInputTooLong(UpstreamRejected):
    """The request is longer than the model's window; a shorter history may fit."""

    kind = "input_too_long"


class UpstreamCircuitOpen(UpstreamError):
    """It failed so often lately that it was not even asked."""

    kind = "circuit_open"


class UpstreamBusy(UpstreamError):
    """It did not say in time how it is, but it answers what it is asked."""

    kind = "busy"


class UpstreamBadAnswer(UpstreamError):
    """It answered, but not with what the contract says: wrong type, wrong shape, empty, or too large."""

    kind = "bad_answer"


class UpstreamIncomplete(UpstreamBadAnswer):
    """Its stream ended properly as far as HTTP goes, but without what marks the end of an answer."""

    kind = "incomplete"


class UpstreamTooLarge(UpstreamBadAnswer):
    """It sent more than an answer may hold; the rest was not read."""

    kind = "too_large"


class UpstreamStreamFailed(UpstreamError):
    """It said 200, and an error of no known kind in place of the answer or of its rest."""

    kind = "stream_failed"


class UpstreamQueryFailed(UpstreamError):
    """A database was asked something that it cannot run; ``sqlstate`` is its code (PostgreSQL manual, appendix A)."""

    kind = "query_failed"

    def __init__(self, service: str, sqlstate: str) -> None:
        self.sqlstate = sqlstate
        super().__init__(service, f"SQLSTATE {sqlstate}")


class UpstreamUnsafe(UpstreamError):
    """A database is not asked since our role there could write, or would read the rows of every project."""

    kind = "unsafe"


class RecipientRefused(UpstreamError):
    """The mail service will not take this mail now or later; trying again is pointless."""

    kind = "refused"
