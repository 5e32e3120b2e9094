"""Signing up at a server, reading the key in the mail, signing in: written once for all tests over real sockets.

For an application in the test's own process, ``fixtures/people.py`` has the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.deadline import Deadline
from tests.support.fixtures.people import key_in, make_profile

_TIMEOUT_S = 60
_MAIL_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteUser:
    """A person who signed up at a server and signed in."""

    email: str
    key: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def mailed_key(url: str, mailbox_dir: Path, **profile: Any) -> tuple[str, str]:
    """Sign up at ``url``; the address, and the key that its mail in ``mailbox_dir`` holds."""
    form = make_profile(**profile)
    requests.post(f"{url}/user/signup", json=form, timeout=_TIMEOUT_S).raise_for_status()
    mailbox = LocalMailbox(mailbox_dir, sender=Sender(name="x", address="x@example.com"))
    return form["email"], key_in(mailbox.wait_for_mail(form["email"], deadline=Deadline.after(_MAIL_TIMEOUT_S)))


def sign_up_and_in(url: str, mailbox_dir: Path) -> RemoteUser:
    """Sign up at ``url``, which mails to ``mailbox_dir``, and sign in."""
    email, key = mailed_key(url, mailbox_dir)
    login = requests.post(f"{url}/user/login", json={"email": email, "clave": key}, timeout=_TIMEOUT_S)
    login.raise_for_status()
    return RemoteUser(email=email, key=key, token=login.json()["access_token"])
