"""A mailbox of files for machines without a mail service: development, the demo, tests."""

from __future__ import annotations

import time
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Self

from maverik_backend.clients.mail.base import Mail, Sender, as_bytes, recipient_of
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamUnreachable

if TYPE_CHECKING:
    from maverik_backend.clients.registry import ClientContext

# For eyes and grep: UTF-8 as it is, a header on one line.
_FILE_POLICY = policy.SMTP.clone(cte_type="8bit", utf8=True, linesep="\n", max_line_length=None)
_LOOK_EVERY_S = 0.05


class LocalMailbox:
    """Each mail becomes one readable ``.eml`` file that only the owner of the process may read."""

    def __init__(self, directory: Path, *, sender: Sender) -> None:
        self.directory = directory
        self._sender = sender

    @classmethod
    def from_context(cls, context: ClientContext) -> Self:
        settings = context.settings
        return cls(settings.mailbox_dir, sender=Sender.from_settings(settings.mail))

    def send(self, mail: Mail, *, deadline: Deadline) -> None:  # noqa: ARG002 - writing a file does not wait
        recipient_of(mail)  # refused here too: what works on a developer's machine works elsewhere
        content = as_bytes(mail, self._sender, to=mail.to, policy=_FILE_POLICY, cte="8bit")
        try:
            self._write(f"{mail.reference}.eml", content)
        except OSError as error:
            raise UpstreamUnreachable("mail", type(error).__name__) from None

    def _write(self, name: str, content: bytes) -> None:
        """Write a file that is there whole or not at all."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.directory / name
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(path)

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What arrived for ``address``, oldest first."""
        files = sorted(self.directory.glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        first_line = f"To: {address}\n".encode()  # the bytes: the parser would decode what looks encoded
        contents = [content for file in files if (content := file.read_bytes()).startswith(first_line)]
        return [BytesParser(EmailMessage, policy=policy.default).parsebytes(content) for content in contents]

    def wait_for_mail(self, address: str, *, deadline: Deadline, already_seen: int = 0) -> EmailMessage:
        """The first mail to ``address`` beyond those ``already_seen``.

        Raises:
            TimeoutError: when none came before ``deadline``.
        """
        while len(mails := self.mails_to(address)) <= already_seen:
            if deadline.passed:
                raise TimeoutError(f"no mail arrived in {self.directory}")
            time.sleep(min(_LOOK_EVERY_S, deadline.remaining_s()))
        return mails[already_seen]
