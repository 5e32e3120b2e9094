"""People: sign-up, login, refresh, second factor, passwords, own data, security events, operators."""

from maverik_backend.services.accounts.enrolment import ENROLMENT_TTL

__all__ = ["ENROLMENT_TTL"]
