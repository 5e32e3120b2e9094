"""The command line: for operators and developers; nothing on the web path imports it.

One file a command group; each command is a few lines over the same functions that the server uses, imported when it is
run. What goes wrong in the configuration is told in sentences, with exit status 2 (:mod:`maverik_backend.cli.common`).
"""

from __future__ import annotations

import click

from maverik_backend import __version__
from maverik_backend.cli.assistants import assistants
from maverik_backend.cli.demo import demo
from maverik_backend.cli.documents import documents
from maverik_backend.cli.jobs import jobs
from maverik_backend.cli.keys import keys
from maverik_backend.cli.maintenance import cleanup
from maverik_backend.cli.server import migrate, serve
from maverik_backend.cli.usage import usage
from maverik_backend.cli.users import users


@click.group()
@click.version_option(__version__, prog_name="maverik")
def main() -> None:
    """Maverik Backend."""


for _command in (serve, migrate, demo, keys, users, cleanup, jobs, assistants, documents, usage):
    main.add_command(_command)
