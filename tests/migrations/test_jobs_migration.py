"""Mails become jobs while processes of the release before still run: each leaves once, sent by one side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from maverik_backend.clients.mail.base import Mail
from maverik_backend.core.database import make_engine
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.security import Keyring, Purpose, generate_paserk
from maverik_backend.services.jobs import JobRunner, MailJob, enqueue_mail
from maverik_backend.services.operations import clean_up
from maverik_backend.settings import Settings
from maverik_backend.texts.mail import account_deleted
from tests.support.fixtures.database import Alembic, connected, rows

BEFORE = "e7c15d90b2a4"
MAIL = {"to": "ana@example.com", "subject": "Hola", "text": "x", "html": "<p>x</p>"}

# The statements of the release before, as its services/jobs/outbox.py made them.
INSERT = "INSERT INTO correo_saliente (asunto, carga) VALUES (:subject, :sealed) RETURNING id, estado"
CLAIM = """
UPDATE correo_saliente SET proximo_intento = now() + interval '80 seconds', intentos = least(intentos, 32766) + 1
WHERE id = (
    SELECT id FROM correo_saliente WHERE estado = 'pendiente' AND proximo_intento <= now()
    ORDER BY proximo_intento, id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id, intentos, carga
"""
SETTLE = """
UPDATE correo_saliente SET ultimo_error = :error, {values}
WHERE id = :id AND estado = 'pendiente' AND intentos = :attempts RETURNING id
"""
SENT = "estado = 'enviado', carga = NULL, fecha_envio = now()"
GIVEN_UP = "estado = 'fallido', carga = NULL"
LATER = "proximo_intento = now() + interval '30 seconds'"

Run = Callable[..., None]


class Recorder:
    """A mail service that remembers what it was handed."""

    def __init__(self) -> None:
        self.references: list[str] = []

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        assert not deadline.passed
        self.references.append(mail.reference)


class OldProcess:
    """A process of the release before, by the statements that it sends."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._settings = settings
        self._keyring = keyring

    def enqueue(self, **content: str) -> int:
        sealed = self._keyring.seal(json.dumps({**MAIL, **content}).encode(), purpose=Purpose.MAIL)
        (row,) = rows(self._settings, INSERT, subject="Hola", sealed=sealed)
        assert row["estado"] == "pendiente"
        return int(row["id"])

    def claim(self) -> dict[str, Any] | None:
        found = rows(self._settings, CLAIM)
        return found[0] if found else None

    def settle(self, claim: dict[str, Any], values: str, *, error: str | None = None) -> bool:
        statement = SETTLE.format(values=values)
        return bool(rows(self._settings, statement, error=error, id=claim["id"], attempts=claim["intentos"]))


@pytest.fixture
def migrate(own_database: Settings, alembic: Callable[[Settings], Alembic]) -> Run:
    return alembic(own_database)


@pytest.fixture
def before(own_database: Settings, migrate: Run) -> Settings:
    """A database without the table of jobs."""
    migrate("downgrade", BEFORE)
    return own_database


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring([generate_paserk()])


@pytest.fixture
def old(own_database: Settings, keyring: Keyring) -> OldProcess:
    return OldProcess(own_database, keyring)


@pytest.fixture
def sender() -> Recorder:
    return Recorder()


@pytest.fixture
def new(own_database: Settings, keyring: Keyring, sender: Recorder) -> Iterator[JobRunner]:
    """A process of this release."""
    kinds = [MailJob(sender=sender, timeout_s=5)]
    with connected(own_database) as database:
        yield JobRunner(transaction=database.transaction, kinds=kinds, keyring=keyring, metrics=Metrics())


def jobs(settings: Settings) -> list[tuple[Any, ...]]:
    """State, attempts, error and whether there is a payload, of each job."""
    found = rows(settings, "SELECT estado, intentos, error, carga IS NOT NULL AS content FROM trabajo ORDER BY id")
    return [tuple(row.values()) for row in found]


def mails(settings: Settings) -> int:
    return int(rows(settings, "SELECT count(*) FROM correo_saliente")[0]["count"])


def end_lease(settings: Settings, ago: str = "0") -> None:
    """Let the lease of a mail under way run out, on both sides and past every trigger."""
    engine = make_engine(settings)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # without triggers
        for table in ("trabajo", "correo_saliente"):
            statement = f"UPDATE {table} SET proximo_intento = now() - CAST(:ago AS interval)"  # noqa: S608
            connection.execute(text(statement), {"ago": ago})
    engine.dispose()


class TestMailsThatWait:
    def test_they_become_jobs_and_leave_once_with_the_reference_they_had(
        self, before: Settings, migrate: Run, old: OldProcess, new: JobRunner, sender: Recorder
    ) -> None:
        first, second = old.enqueue(), old.enqueue(uuid="ab")

        migrate("upgrade", "head")

        assert mails(before) == 0
        assert old.claim() is None
        assert new.run_due() == 2
        assert sender.references == [f"maverik-{first:010d}", f"maverik-{second:010d}-ab"]

    def test_those_that_left_and_failed_stay_on_record(self, before: Settings, migrate: Run, old: OldProcess) -> None:
        for values, error in ((SENT, None), (GIVEN_UP, "refused")):
            old.enqueue()
            claim = old.claim()
            assert claim is not None
            assert old.settle(claim, values, error=error)

        migrate("upgrade", "head")

        assert jobs(before) == [("hecho", 1, None, False), ("fallido", 1, "refused", False)]

    def test_one_that_an_old_process_inserts_becomes_a_job(
        self, own_database: Settings, old: OldProcess, new: JobRunner, sender: Recorder
    ) -> None:
        number = old.enqueue(uuid="cd")

        assert mails(own_database) == 0
        assert old.claim() is None
        assert new.run_due() == 1
        assert sender.references == [f"maverik-{number:010d}-cd"]


class TestMailsUnderWay:
    """An old process had claimed one before the table of jobs was there, and settles it afterwards."""

    @pytest.fixture
    def claim(self, before: Settings, migrate: Run, old: OldProcess) -> dict[str, Any]:
        del before
        old.enqueue()
        claim = old.claim()
        assert claim is not None
        migrate("upgrade", "head")
        return claim

    @pytest.mark.parametrize(
        ("values", "error", "expected"),
        [
            (SENT, None, ("hecho", 1, None, False)),
            (GIVEN_UP, "refused", ("fallido", 1, "refused", True)),
            (LATER, "timeout", ("pendiente", 1, "timeout", True)),
        ],
        ids=["sent", "given_up", "later"],
    )
    def test_what_the_old_process_records_is_recorded_of_the_job(
        self,
        claim: dict[str, Any],
        own_database: Settings,
        old: OldProcess,
        new: JobRunner,
        values: str,
        error: str | None,
        expected: tuple[Any, ...],
    ) -> None:
        assert new.run_due() == 0  # the lease still holds

        assert old.settle(claim, values, error=error)

        assert jobs(own_database) == [expected]
        assert mails(own_database) == 0
        assert new.run_due() == 0

    def test_when_the_old_process_ended_this_release_sends_it_and_no_old_one_does(
        self, claim: dict[str, Any], own_database: Settings, old: OldProcess, new: JobRunner, sender: Recorder
    ) -> None:
        end_lease(own_database)

        assert old.claim() is None
        assert new.run_due() == 1
        assert old.claim() is None
        assert sender.references == [f"maverik-{claim['id']:010d}"]

    def test_its_copy_is_cleaned_up(self, claim: dict[str, Any], own_database: Settings) -> None:
        del claim
        left: list[int] = []
        for ago in ("23 hours", "25 hours"):
            end_lease(own_database, ago)
            with connected(own_database) as database, database.transaction() as db:
                clean_up(db)
            left.append(mails(own_database))

        assert left == [1, 0]
        assert len(jobs(own_database)) == 1

    def test_what_an_old_process_records_too_late_changes_nothing(
        self, claim: dict[str, Any], own_database: Settings, old: OldProcess, new: JobRunner
    ) -> None:
        end_lease(own_database)
        assert new.run_due() == 1

        old.settle(claim, GIVEN_UP, error="timeout")

        assert jobs(own_database) == [("hecho", 2, None, False)]


class TestTheWayDown:
    def test_mails_are_put_back_with_their_numbers_and_leave_there(
        self, own_database: Settings, migrate: Run, old: OldProcess, keyring: Keyring
    ) -> None:
        number = old.enqueue()
        with connected(own_database) as database, database.transaction() as db:
            enqueue_mail(db, keyring=keyring, to="ana@example.com", letter=account_deleted(support=None))

        migrate("downgrade", BEFORE)

        first, second = old.claim(), old.claim()
        assert first is not None
        assert second is not None
        assert first["id"] == number
        contents = [json.loads(keyring.unseal(one["carga"], purpose=Purpose.MAIL)) for one in (first, second)]
        assert [set(content) for content in contents] == [{"to", "subject", "text", "html"}] * 2

    def test_ended_ones_stay_on_record(self, own_database: Settings, migrate: Run) -> None:
        rows(
            own_database,
            "INSERT INTO trabajo (tipo, referencia, carga, estado, error, fecha_fin) VALUES "
            "('correo', 'a', NULL, 'hecho', NULL, now()), ('correo', 'b', 'x', 'fallido', 'refused', now()), "
            "('correo', 'c', NULL, 'descartado', 'timeout', now())",
        )

        migrate("downgrade", BEFORE)

        found = rows(own_database, "SELECT estado, ultimo_error, carga FROM correo_saliente ORDER BY id")
        assert [tuple(row.values()) for row in found] == [
            ("enviado", None, None), ("fallido", "refused", None), ("fallido", "timeout", None)
        ]  # fmt: skip

    def test_one_under_way_keeps_its_lease(self, own_database: Settings, migrate: Run, old: OldProcess) -> None:
        old.enqueue()
        rows(own_database, "UPDATE trabajo SET vence = now() + interval '1 minute', proceso = gen_random_uuid()")

        migrate("downgrade", BEFORE)

        assert old.claim() is None
        assert mails(own_database) == 1

    def test_jobs_that_are_no_mails_stop_it(self, own_database: Settings, migrate: Run) -> None:
        rows(own_database, "INSERT INTO trabajo (tipo, referencia, carga) VALUES ('informe', 'a', '{}')")

        with pytest.raises(SystemExit, match="1 jobs that are no mails"):
            migrate("downgrade", BEFORE)

        assert jobs(own_database) == [("pendiente", 0, None, True)]
