"""People: sign-up, login, refresh, second factor, passwords, own data, security events, operators.

What operators do is in :mod:`~maverik_backend.services.accounts.administration`, shown here as well.
"""

from maverik_backend.services.accounts.administration import (
    create_account,
    get_accounts,
    merge,
    merge_without_factor,
    remove_second_factor,
    reset_password,
    set_disabled,
    set_operator,
    summarise,
)
from maverik_backend.services.accounts.administration import get_or_raise as get_account
from maverik_backend.services.accounts.auth import Authenticator, Credentials
from maverik_backend.services.accounts.enrolment import ENROLMENT_TTL, Enrolment, Enrolments
from maverik_backend.services.accounts.event import get_events
from maverik_backend.services.accounts.export import Exports
from maverik_backend.services.accounts.hashing import Hashing
from maverik_backend.services.accounts.login import (
    Logins,
    LoginTokens,
    authenticate,
    end_login,
    get_logins,
    log_out,
    require_operator,
)
from maverik_backend.services.accounts.password import MailedPassword, Passwords, Reset, ResetDone
from maverik_backend.services.accounts.password_change import change_signing_in
from maverik_backend.services.accounts.records import (
    Account,
    EventRecord,
    InvestorProfile,
    LoginRecord,
    SignedIn,
)
from maverik_backend.services.accounts.second_factor import (
    Clock,
    SecondFactors,
    SecondFactorStatus,
    get_second_factor,
    reseal,
)
from maverik_backend.services.accounts.store.logins import is_open as is_open_login
from maverik_backend.services.accounts.user import SignUp, delete_account, erase, sign_up, update_profile

__all__ = [
    "ENROLMENT_TTL",
    "Account",
    "Authenticator",
    "Clock",
    "Credentials",
    "Enrolment",
    "Enrolments",
    "EventRecord",
    "Exports",
    "Hashing",
    "InvestorProfile",
    "LoginRecord",
    "LoginTokens",
    "Logins",
    "MailedPassword",
    "Passwords",
    "Reset",
    "ResetDone",
    "SecondFactorStatus",
    "SecondFactors",
    "SignUp",
    "SignedIn",
    "authenticate",
    "change_signing_in",
    "create_account",
    "delete_account",
    "end_login",
    "erase",
    "get_account",
    "get_accounts",
    "get_events",
    "get_logins",
    "get_second_factor",
    "is_open_login",
    "log_out",
    "merge",
    "merge_without_factor",
    "remove_second_factor",
    "require_operator",
    "reseal",
    "reset_password",
    "set_disabled",
    "set_operator",
    "sign_up",
    "summarise",
    "update_profile",
]
