"""How often things may be tried. All limits stand in :data:`LIMITS`.

Tries are counted before the account is looked up, so a locked account, an unknown one and a wrong password cannot be
told apart. (Logins ask first, for any address with the same statement, whether the client's network is known.) Keys of
the counters are digests: no address is kept in clear, in memory or in the database.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from enum import StrEnum

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from maverik_backend.errors import DatabaseUnavailable, TooManyTries, UpstreamUnreachable
from maverik_backend.settings import SecuritySettings

_log = structlog.get_logger(__name__)


class Action(StrEnum):
    """What is counted, by whom or from where."""

    LOG_IN_TO_ACCOUNT = "log_in_to_account"
    LOG_IN_TO_ACCOUNT_FROM_NETWORK = "log_in_to_account_from_network"
    LOG_IN_TO_ACCOUNT_FROM_ANYWHERE = "log_in_to_account_from_anywhere"
    LOG_IN_FROM_ADDRESS = "log_in_from_address"
    SIGN_UP_FROM_ADDRESS = "sign_up_from_address"
    SIGN_UP_AS_ACCOUNT = "sign_up_as_account"
    MAIL_TO_ACCOUNT = "mail_to_account"
    MAIL_FROM_ADDRESS = "mail_from_address"
    RESET_FROM_ADDRESS = "reset_from_address"
    REFRESH_FROM_ADDRESS = "refresh_from_address"
    CONFIRM_PASSWORD = "confirm_password"  # noqa: S105 - the name of an action
    SECOND_FACTOR_FROM_ADDRESS = "second_factor_from_address"
    SECOND_FACTOR_FROM_ANYWHERE = "second_factor_from_anywhere"
    TURN = "turn"
    READ_HISTORY = "read_history"
    OPEN_SESSION = "open_session"
    EXPORT = "export"
    ADD_DOCUMENT = "add_document"
    REQUEST_FROM_ADDRESS = "request_from_address"
    PREFLIGHT_FROM_ADDRESS = "preflight_from_address"


LIMITS: dict[Action, RateLimitItem] = {
    # By account *and* address: guesses lock out the address they come from, not the owner who signs in from elsewhere.
    Action.LOG_IN_TO_ACCOUNT: parse("20 per 15 minutes"),
    # By account and network (/24 of IPv4, /48 of IPv6), whether or not the owner uses it: an attacker with many
    # addresses in a network that the next line leaves out has no more tries than this.
    Action.LOG_IN_TO_ACCOUNT_FROM_NETWORK: parse("50 per hour"),
    # One account is attacked from many places: no more than 100 an hour (OWASP ASVS 4.0.3, 2.2.1). One network alone
    # cannot reach it. Networks of the account's latest logins are neither counted nor refused
    # (services/accounts/auth.py).
    # Elsewhere it does lock the owner out; a mailed link signs them in, and nothing else starts it anew: were it a
    # login, an attacker would see by the 401 after many tries that its owner signed in.
    Action.LOG_IN_TO_ACCOUNT_FROM_ANYWHERE: parse("100 per hour"),
    # Many accounts are attacked from one place; an office behind one address still gets in.
    Action.LOG_IN_FROM_ADDRESS: parse("100 per 15 minutes"),
    Action.SIGN_UP_FROM_ADDRESS: parse("30 per hour"),
    # Mails that can be caused without an account: no mailbox is flooded, whatever tags and dots its address is written
    # with (`mailbox_of` of core/addresses.py). Signing up is counted apart, so that asking for links on behalf of an
    # address does not keep its owner from signing up.
    Action.SIGN_UP_AS_ACCOUNT: parse("5 per hour"),
    Action.MAIL_TO_ACCOUNT: parse("5 per hour"),
    Action.MAIL_FROM_ADDRESS: parse("30 per hour"),
    Action.RESET_FROM_ADDRESS: parse("30 per hour"),
    Action.REFRESH_FROM_ADDRESS: parse("300 per 15 minutes"),
    # Re-entering the password while signed in: changing it, deleting the account. Counted together, because a stolen
    # token can be used to guess the same password with both; a mailed link starts it anew.
    Action.CONFIRM_PASSWORD: parse("10 per 15 minutes"),
    # Codes of a second factor, by account and address; tried only with the password or a mailed link.
    Action.SECOND_FACTOR_FROM_ADDRESS: parse("10 per 15 minutes"),
    # Time-based codes, by account: of a million three hold at once, so 30 guesses a day find one in 30 years. Nothing
    # starts it anew, or an attacker who reads the mailbox could guess on; recovery codes are too long to be guessed and
    # are not counted.
    Action.SECOND_FACTOR_FROM_ANYWHERE: parse("30 per day"),
    # By principal. Every turn costs a call to a language model; people do not read answers faster than this.
    Action.TURN: parse("20 per minute"),
    Action.READ_HISTORY: parse("10 per minute"),
    # By principal, too. Each session is a row that stays; an export reads everything that the principal owns.
    Action.OPEN_SESSION: parse("60 per hour"),
    Action.EXPORT: parse("5 per hour"),
    # Each one is read by a process of its own for as long as minutes.
    Action.ADD_DOCUMENT: parse("60 per hour"),
    # Every request of any client, but those that only ask how the service is (web/middleware/address_limit.py).
    Action.REQUEST_FROM_ADDRESS: parse("100 per minute"),
    # What browsers ask before a request (OPTIONS), at most once in ten minutes for each URL. Counted apart, and as many
    # as there may be requests: a frontend whose browser asks before each of them stays within it.
    Action.PREFLIGHT_FROM_ADDRESS: parse("100 per minute"),
}


def limits_from(settings: SecuritySettings) -> Mapping[Action, RateLimitItem]:
    """The table with what operators changed in it; empty when they turned all limits off."""
    if not settings.rate_limits_enabled:
        return {}
    changed = {
        Action.TURN: settings.rate_limit_turns_per_minute,
        Action.READ_HISTORY: settings.rate_limit_history_reads_per_minute,
        Action.REQUEST_FROM_ADDRESS: settings.rate_limit_requests_per_minute,
        Action.PREFLIGHT_FROM_ADDRESS: settings.rate_limit_requests_per_minute,
    }
    return LIMITS | {action: RateLimitItemPerMinute(amount) for action, amount in changed.items() if amount}


class Throttle:
    """Counts tries in fixed windows. Safe to use from several threads, and as wide as its storage is shared.

    A storage may be another process, so nothing is counted while a transaction is open.
    """

    def __init__(self, storage: Storage, limits: Mapping[Action, RateLimitItem] = LIMITS) -> None:
        """What is not in ``limits`` is not counted."""
        self._limiter = FixedWindowRateLimiter(storage)
        self._limits = limits

    def count(self, action: Action, *subject: str) -> None:
        """Count one try of ``action`` by ``subject``: an account, a place, or one from the other.

        Raises:
            TooManyTries: when the limit of the table is used up.
            UpstreamUnreachable: when a shared storage is away.
        """
        if (limit := self._limits.get(action)) is None:
            return
        key = _key(action, *subject)
        try:
            if self._limiter.hit(limit, key):
                return
            resets_at = self._limiter.get_window_stats(limit, key).reset_time
        except StorageError:
            raise UpstreamUnreachable("rate_limit_storage") from None
        raise TooManyTries(retry_after_s=max(1, math.ceil(resets_at - time.time())))

    def reset_counter(self, action: Action, *subject: str) -> None:
        """Start the count of ``action`` by ``subject`` anew, because the person proved who they are.

        A storage that is unreachable is logged, not raised: what the person did is committed by then.
        """
        if (limit := self._limits.get(action)) is None:
            return
        try:
            self._limiter.clear(limit, _key(action, *subject))
        except (StorageError, DatabaseUnavailable):
            _log.warning("counter_not_reset", action=action.value)


def _key(action: Action, *subject: str) -> str:
    # No text that reaches this holds a NUL, so no two subjects share a key.
    return f"{action}:{hashlib.sha256(chr(0).join(subject).encode()).hexdigest()[:32]}"
