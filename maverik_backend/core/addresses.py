"""E-mail addresses: their one spelling, the form that mails are sent to, and the mailbox that limits count.

===================  =========================================================================================
Function             What for
===================  =========================================================================================
:func:`canonical`    what is stored, looked for and compared: two spellings of one address are one account
:func:`accepted`     the same, for an address that an account may get: sign-up and `users create`
:func:`mailable`     what stands in an SMTP envelope and a ``To`` header; refuses whatever could become another
:func:`mailbox_of`   what limits on mails count: several addresses of one mailbox share them
===================  =========================================================================================
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

# Legal in a local part (RFC 5322, section 3.2.3), but software on the way takes them for something else than a name.
_REFUSED_IN_LOCAL_PARTS = {
    # RFC 2047, section 5 forbids them in addresses; header parsers decode them all the same, Python's among them
    # (github.com/python/cpython/issues/152519): what was one address becomes another one, or several.
    "=?": "encoded word",
    "?=": "encoded word",
    # RFC 1123, section 5.2.16: relays may take user%other@here for user@other.
    "%": "percent sign",
    # RFC 976: relays may take other!user@here for user@other.
    "!": "bang path",
}


class Unmailable(ValueError):
    """No mail is sent to this address. The message is the reason, in a few words, and never quotes the address."""


def canonical(address: str) -> str:
    """The address in lower case and NFC, without blanks around it, its domain as people write it (RFC 5891).

    What is no address keeps its other oddities: installations from before this repository hold some, and they must be
    found again.
    """
    bare = unicodedata.normalize("NFC", address).strip()
    with suppress(EmailNotValidError):
        bare = validate_email(bare, check_deliverability=False).normalized
    return unicodedata.normalize("NFC", bare).lower()


def accepted(address: str) -> str:
    """:func:`canonical`, of an address that a new account may have.

    Stricter than :func:`mailable`: its domain is one of the public Internet, its local part has at most 64 characters
    (RFC 5321, section 4.5.3.1.1).

    Raises:
        Unmailable: for every other one.
    """
    try:
        validate_email(address.strip(), check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise Unmailable("no address") from None
    spelling = canonical(address)
    mailable(spelling)
    return spelling


def mailable(address: str) -> str:
    """``address`` with its domain in A-labels (RFC 5890), as any mail server takes it; the local part is untouched.

    Raises:
        Unmailable: when it is not a plain ``local@domain``, its domain is one that no mail can be for (RFC 6761), or
            something on the way could read another address in it.
    """
    local, _, _ = address.rpartition("@")
    try:
        parsed = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise Unmailable("no address") from None
    for mark, name in _REFUSED_IN_LOCAL_PARTS.items():
        if mark in local:
            raise Unmailable(f"{name} in the local part")
    # Servers may fold these into others: U+FB03 into "ffi", U+2024 into a full stop (UTS #39, section 3.3.1).
    if local != parsed.local_part or not unicodedata.is_normalized("NFKC", local):
        raise Unmailable("compatibility characters in the local part")
    return f"{local}@{parsed.ascii_domain}"


def is_mailable(address: str) -> bool:
    """Whether mails are sent to ``address``."""
    try:
        mailable(address)
    except Unmailable:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    """Which addresses of ``domains`` are one mailbox: the first domain stands for all when they ``share_names``.

    Characters in ``ignored`` make no difference, what follows one in ``tag_marks`` neither. With ``user_subdomains``,
    anything@ana.example.com is ana@example.com.
    """

    domains: tuple[str, ...]
    share_names: bool = False
    ignored: str = ""
    tag_marks: str = "+"
    user_subdomains: bool = False


_PROVIDERS = (
    # https://support.google.com/mail/answer/7436150: dots, but not in domains of organisations
    _Provider(domains=("gmail.com", "googlemail.com"), share_names=True, ignored="."),
    # https://github.com/gmr/email-normalize ("domain folding")
    _Provider(domains=("icloud.com", "me.com", "mac.com"), share_names=True),
    # https://github.com/ProtonMail/WebClients, removeEmailAlias
    # and https://proton.me/support/addresses-and-aliases: a user name is the same person's at each of its domains
    _Provider(domains=("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), share_names=True, ignored="._-"),
    # https://www.fastmail.help/hc/en-us/articles/360060591053
    _Provider(domains=("fastmail.com", "fastmail.fm"), user_subdomains=True),
    # https://github.com/validatorjs/validator.js, normalizeEmail; this and the next, with the countries' domains
    _Provider(
        domains=(
            *("yahoo.com", "yahoo.com.ar", "yahoo.com.br", "yahoo.com.mx", "yahoo.es", "yahoo.ca", "yahoo.co.uk"),
            *("yahoo.de", "yahoo.fr", "yahoo.in", "yahoo.it", "ymail.com", "rocketmail.com"),
        ),
        tag_marks="+-",
    ),
    _Provider(
        domains=("yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "ya.ru"),
        share_names=True,
    ),
)
_PROVIDER_OF = {domain: provider for provider in _PROVIDERS for domain in provider.domains}


def mailbox_of(address: str) -> str:
    """A name for the mailbox that ``address`` leads to, the same for all spellings, tags and aliases that are known.

    Only for counting: elsewhere two addresses are two people. Tags after "+" (RFC 5233) are cut whatever the domain,
    so where a provider knows none, people whose names begin alike share their limits.
    """
    local, _, domain = canonical(address).rpartition("@")
    user, _, parent = domain.partition(".")
    if parent in _PROVIDER_OF and _PROVIDER_OF[parent].user_subdomains:
        local, domain = user, parent
    provider = _PROVIDER_OF.get(domain) or _Provider(domains=(domain,))
    base = local
    for mark in provider.tag_marks:
        base = base.partition(mark)[0] or base
    base = base.translate(dict.fromkeys(map(ord, provider.ignored)))
    return f"{base or local}@{provider.domains[0] if provider.share_names else domain}"
