"""What docs/OPERATIONS.md tells operators to do, done: restoring a backup, rotating the key."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from maverik_backend.api import create_app
from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.security import generate_paserk
from maverik_backend.settings import Settings
from maverik_backend.web.resources import resources_of
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import key_in, make_profile
from tests.support.forked import run_forked
from tests.support.paths import ROOT
from tests.support.postgres import PASSWORD, TcpPostgres
from tests.support.processes import ServerProcess, clean_environment
from tests.support.talk import Talk

OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
OLD, NEW = generate_paserk(), generate_paserk()
ROTATION = (OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW)


class TestRestoringABackup:
    @pytest.fixture
    def postgres(self) -> Iterator[TcpPostgres]:
        with TemporaryDirectory(prefix="maverik-test-") as folder, TcpPostgres(Path(folder)) as postgres:
            yield postgres

    def test_what_was_said_is_there_again(self, postgres: TcpPostgres, own_folder: Path) -> None:
        variables = {**postgres.variables(schema="public"), "SECRET_KEY": OLD}
        assert run_forked("migrate", cwd=own_folder, **variables).returncode == 0
        with ServerProcess(own_folder, **variables) as server:
            talk = Talk.begin(server, own_folder)
            talk.post(talk.open_session(), "hola").raise_for_status()
            said = talk.history()

        run_as_documented("backup", postgres, own_folder)
        run_as_documented("restore", postgres, own_folder)

        variables["DB_NAME"] = "maverik_restored"
        with ServerProcess(own_folder, **variables) as server:
            talk.address = server.url
            assert talk.history() == said


def run_as_documented(name: str, postgres: TcpPostgres, folder: Path) -> None:
    """The block of commands that follows ``<!-- name -->`` in the document."""
    (commands,) = re.findall(rf"<!-- {name} -->\n```bash\n(.*?)```", OPERATIONS, re.DOTALL)
    variables = clean_environment(
        DATABASE=postgres.address(), RESTORED=postgres.address(database="maverik_restored"), PGPASSWORD=PASSWORD
    )
    variables["PATH"] = f"{postgres.programs}:{variables['PATH']}"
    done = subprocess.run(  # noqa: S603 - our own document
        ["/bin/sh", "-ec", commands], check=False, capture_output=True, text=True, cwd=folder, env=variables
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", OPERATIONS, re.DOTALL))
def test_queries_are_ones_that_the_database_understands(own_database: Settings, query: str) -> None:
    rows(own_database, query)


class Step:
    """The service as it is at one step of a rotation; it delivers mails when asked to, not by itself."""

    def __init__(self, base: Settings, keys: str) -> None:
        security = base.security.model_copy(update={"secret_key": SecretStr(keys)})
        mail = base.mail.model_copy(update={"jobs_poll_interval_s": 60.0})
        app = create_app(base.model_copy(update={"security": security, "mail": mail}))
        self.api = TestClient(app)
        self.jobs = resources_of(app).jobs

    def log_in(self, email: str, clave: str) -> dict[str, str]:
        login = self.api.post("/user/login", json={"email": email, "clave": clave}).json()
        return {"Authorization": f"Bearer {login['access_token']}"}

    def lets_in(self, headers: dict[str, str]) -> bool:
        return bool(self.api.get("/user/me", headers=headers).status_code == 200)


class TestRotatingTheKey:
    @pytest.fixture
    def steps(self, own_database: Settings) -> Iterator[list[Step]]:
        with ExitStack() as stack:
            steps = [Step(own_database, keys) for keys in ROTATION]
            for step in steps:
                stack.enter_context(step.api)
            yield steps

    @pytest.fixture
    def mailbox(self, own_database: Settings) -> LocalMailbox:
        return LocalMailbox(own_database.mailbox_dir, sender=Sender(name="x", address="x@example.com"))

    @pytest.fixture
    def person(self, steps: list[Step], mailbox: LocalMailbox) -> tuple[str, str]:
        """Address and key of somebody who signed up before it began."""
        email = sign_up(steps[0])
        steps[0].jobs.run_due()
        return email, key_in(mailbox.mails_to(email)[0])

    def test_whoever_signs_in_at_one_step_is_signed_in_at_its_neighbours(
        self, steps: list[Step], person: tuple[str, str]
    ) -> None:
        for before, after in pairwise(steps):
            assert before.lets_in(after.log_in(*person))
            assert after.lets_in(before.log_in(*person))

    def test_with_the_new_key_alone_old_tokens_end(self, steps: list[Step], person: tuple[str, str]) -> None:
        assert not steps[-1].lets_in(steps[0].log_in(*person))

    def test_a_mail_that_waits_leaves_as_long_as_its_key_is_there(
        self, steps: list[Step], mailbox: LocalMailbox
    ) -> None:
        email = sign_up(steps[0])

        assert steps[2].jobs.run_due() == len(mailbox.mails_to(email)) == 1

    def test_a_mail_whose_key_has_gone_is_given_up_and_says_so(self, steps: list[Step], own_database: Settings) -> None:
        sign_up(steps[0])

        assert steps[3].jobs.run_due() == 0
        assert rows(own_database, "SELECT estado, error FROM trabajo") == [{"estado": "fallido", "error": "unsealable"}]


def sign_up(step: Step) -> str:
    form = make_profile()
    assert step.api.post("/user/signup", json=form).status_code == 201
    return str(form["email"])
