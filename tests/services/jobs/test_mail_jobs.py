"""The kind of job that sends mails: sealed at rest, sent once, retried."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from typing import Any

import pytest
from sqlalchemy import Connection, text

from maverik_backend.clients.mail.base import Mail, Sender, as_bytes
from maverik_backend.core.database import Database
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.core.security import Keyring, Purpose, generate_paserk
from maverik_backend.errors import MaverikError, RecipientRefused, UpstreamTimeout
from maverik_backend.services.jobs import OPEN, JobRunner, MailJob, Worker, enqueue_mail, find
from maverik_backend.settings import Settings
from maverik_backend.texts.mail import welcome
from tests.support.fixtures.database import connected

LETTER = welcome(
    key="abcdefghijklmnop",
    link="https://app.example.com/x?token=y",
    frontend_url="https://app.example.com",
    change_url="https://app.example.com/z",
    hours=72,
)


class ScriptedSender:
    """Takes mails; raises what it is told to, in order."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.sent: list[Mail] = []

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        assert not deadline.passed
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.sent.append(mail)


MakeRunner = Callable[..., JobRunner]
RETRY_DELAYS = MailJob.retry_delays


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring([generate_paserk()])


@pytest.fixture
def make_runner(database: Database, keyring: Keyring) -> MakeRunner:
    def make(sender: ScriptedSender, *, keyring: Keyring = keyring, database: Database = database) -> JobRunner:
        kinds = [MailJob(sender=sender, timeout_s=5)]
        return JobRunner(transaction=database.transaction, kinds=kinds, keyring=keyring, metrics=Metrics())

    return make


def enqueue(database: Database, keyring: Keyring, *, to: str = "ana@example.com") -> None:
    with database.transaction() as session:
        enqueue_mail(session, keyring=keyring, to=to, letter=LETTER)


def enqueue_content(database: Database, keyring: Keyring, content: str) -> None:
    """A mail of the outbox before, number 7, whose content is ``content``."""
    sealed = keyring.seal(content.encode(), purpose=Purpose.MAIL)
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO trabajo (tipo, referencia, carga) VALUES ('correo', 'maverik-0000000007', :sealed)"),
            {"sealed": sealed},
        )


def only_row(connection: Connection) -> Any:
    return connection.execute(text("SELECT * FROM trabajo")).one()


class TestClaiming:
    def test_one_mail_at_a_time_whatever_the_plan(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        """PostgreSQL chooses such a plan of its own when its statistics say so; here it has no other."""
        for other in ("hashjoin", "hashagg", "material", "sort"):
            connection.execute(text(f"SET LOCAL enable_{other} = off"))
        for number in range(5):
            enqueue(database, keyring, to=f"p{number}@example.com")
        sender = ScriptedSender()

        assert make_runner(sender).run_due() == 5

        assert sorted(mail.to for mail in sender.sent) == [f"p{number}@example.com" for number in range(5)]


class TestEnqueue:
    def test_a_mail_is_not_readable_at_rest(self, database: Database, keyring: Keyring, connection: Connection) -> None:
        enqueue(database, keyring)

        stored = str(only_row(connection))
        assert "abcdefghijklmnop" not in stored
        assert "ana@example.com" not in stored

    def test_a_mail_of_a_transaction_that_is_rolled_back_is_not_sent(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        def fail_after_enqueueing() -> None:
            with database.transaction() as session:
                enqueue_mail(session, keyring=keyring, to="a@example.com", letter=LETTER)
                raise MaverikError

        with pytest.raises(MaverikError):
            fail_after_enqueueing()

        assert make_runner(ScriptedSender()).run_due() == 0


class TestDeliver:
    def test_a_mail_leaves_once_with_both_forms(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        enqueue(database, keyring)
        sender = ScriptedSender()

        assert make_runner(sender).run_due() == 1
        assert make_runner(sender).run_due() == 0

        (mail,) = sender.sent
        assert (mail.to, mail.subject) == ("ana@example.com", LETTER.subject)
        assert "\nClave: abcdefghijklmnop\n" in mail.text
        assert "Clave: abcdefghijklmnop" in mail.html

    def test_the_content_of_a_sent_mail_is_erased(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        make_runner(ScriptedSender()).run_due()

        row = only_row(connection)
        assert (row.estado, row.carga, row.intentos, row.error) == ("hecho", None, 1, None)
        assert row.fecha_fin is not None

    def test_a_failed_attempt_is_rescheduled(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        sender = ScriptedSender(UpstreamTimeout("mail"))

        assert make_runner(sender).run_due() == 0

        row = only_row(connection)
        assert (row.estado, row.error) == ("pendiente", "timeout")
        assert abs(row.proximo_intento - datetime.now(UTC) - RETRY_DELAYS[0]) < timedelta(seconds=10)

    def test_the_next_attempt_has_the_same_reference(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        references: list[str] = []

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                references.append(mail.reference)
                super().send(mail, deadline=deadline)

        enqueue(database, keyring)
        sender = Sender(UpstreamTimeout("mail"))
        make_runner(sender).run_due()
        connection.execute(text("UPDATE trabajo SET proximo_intento = now()"))

        assert make_runner(sender).run_due() == 1
        assert len(set(references)) == 1

    def test_each_mail_has_a_reference_of_its_own(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        sender = ScriptedSender()
        for _ in range(2):
            enqueue(database, keyring)
        make_runner(sender).run_due()

        first, second = (mail.reference for mail in sender.sent)
        assert first != second
        assert first[:8] == second[:8] == "maverik-"

    @pytest.mark.parametrize(
        ("uuid", "reference"), [({}, "maverik-0000000007"), ({"uuid": "ab"}, "maverik-0000000007-ab")]
    )
    def test_a_mail_of_the_outbox_before_keeps_its_reference(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, uuid: dict[str, str], reference: str
    ) -> None:
        sender = ScriptedSender()
        content = {"to": "ana@example.com", "subject": "Hola", "text": "x", "html": "x"}
        enqueue_content(database, keyring, json.dumps({**content, **uuid}))

        make_runner(sender).run_due()

        assert sender.sent == [Mail(**content, reference=reference)]

    def test_the_next_one_is_tried_alone(self, database: Database, keyring: Keyring, make_runner: MakeRunner) -> None:
        for _ in range(2):
            enqueue(database, keyring)
        sender = ScriptedSender(UpstreamTimeout("mail"))
        runner = make_runner(sender)

        assert [runner.run_next() for _ in range(3)] == [True, True, False]
        assert len(sender.sent) == 1

    @pytest.mark.parametrize("attempt", range(len(RETRY_DELAYS)))
    def test_every_delay_of_the_table_is_kept(
        self,
        database: Database,
        keyring: Keyring,
        make_runner: MakeRunner,
        connection: Connection,
        attempt: int,
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE trabajo SET intentos = :done"), {"done": attempt})

        make_runner(ScriptedSender(UpstreamTimeout("mail"))).run_due()

        wait = only_row(connection).proximo_intento - datetime.now(UTC)
        assert abs(wait - RETRY_DELAYS[attempt]) < timedelta(seconds=10)

    def test_after_the_last_retry_it_is_dead_and_keeps_its_sealed_content(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE trabajo SET intentos = :done"), {"done": len(RETRY_DELAYS)})

        make_runner(ScriptedSender(UpstreamTimeout("mail"))).run_due()

        row = only_row(connection)
        assert (row.estado, row.fecha_fin is not None, row.carga[:9]) == ("fallido", True, "v4.local.")

    def test_a_mail_whose_recipient_is_refused_is_dead_at_once(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        make_runner(ScriptedSender(RecipientRefused("mail"))).run_due()

        assert (only_row(connection).estado, only_row(connection).error) == ("fallido", "refused")

    def test_the_reason_is_on_record(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        make_runner(ScriptedSender(RecipientRefused("mail", "reply 550 5.1.1"))).run_due()

        row = only_row(connection)
        assert (row.estado, row.intentos, row.error) == ("fallido", 1, "refused (reply 550 5.1.1)")

    def test_one_that_no_key_opens_is_dead(
        self, database: Database, make_runner: MakeRunner, connection: Connection, keyring: Keyring
    ) -> None:
        enqueue(database, Keyring([generate_paserk()]))

        make_runner(ScriptedSender(), keyring=keyring).run_due()

        assert (only_row(connection).estado, only_row(connection).error) == ("fallido", "unsealable")

    def test_one_bad_mail_does_not_hold_up_the_others(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        for number in range(3):
            enqueue(database, keyring, to=f"p{number}@example.com")
        sender = ScriptedSender(None, UpstreamTimeout("mail"), None)

        assert make_runner(sender).run_due() == 2


class MimeSender(ScriptedSender):
    """Writes the mail down, as senders do."""

    subject = "Hola"

    def send(self, mail: Mail, *, deadline: Deadline) -> None:
        sender = Sender(name="Maverik", address="hola@example.com")
        as_bytes(replace(mail, subject=self.subject), sender, to=mail.to, policy=policy.SMTP)
        super().send(mail, deadline=deadline)


class BrokenHeaderSender(MimeSender):
    subject = "Hola\nBcc: todos@example.com"


class TestDefects:
    def test_a_mail_that_cannot_be_written_is_tried_again_later(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        assert make_runner(BrokenHeaderSender()).run_due() == 0

        row = only_row(connection)
        assert (row.estado, row.error, row.intentos) == ("pendiente", "defect", 1)
        assert abs(row.proximo_intento - datetime.now(UTC) - RETRY_DELAYS[0]) < timedelta(seconds=10)

    @pytest.mark.parametrize("content", ["{", "[]", "null", "{}", '{"to": "ana@example.com", "cc": "x"}'])
    def test_a_content_of_another_shape_is_one(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection, content: str
    ) -> None:
        enqueue_content(database, keyring, content)

        assert make_runner(ScriptedSender()).run_due() == 0

        assert (only_row(connection).estado, only_row(connection).error) == ("pendiente", "defect")

    def test_after_the_last_retry_it_is_dead_and_keeps_its_sealed_content(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE trabajo SET intentos = :done"), {"done": len(RETRY_DELAYS)})

        make_runner(BrokenHeaderSender()).run_due()

        row = only_row(connection)
        assert (row.estado, row.fecha_fin is not None, row.carga[:9]) == ("fallido", True, "v4.local.")

    def test_one_whose_process_ended_in_every_attempt_is_dead_without_another_one(
        self, database: Database, keyring: Keyring, make_runner: MakeRunner, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE trabajo SET intentos = :count"), {"count": len(RETRY_DELAYS) + 1})
        sender = ScriptedSender()

        assert make_runner(sender).run_due() == 0

        assert (only_row(connection).estado, only_row(connection).error) == ("fallido", "abandoned")
        assert sender.sent == []

    def test_neither_a_mail_nor_a_letter_shows_the_key_it_holds(self) -> None:
        mail = Mail(to="ana@example.com", subject="x", text="abcdefghijklmnop", html="", reference="r")

        assert "abcdefghijklmnop" not in f"{mail!r} {LETTER!r} {mail} {LETTER}"


class TestLostLeases:
    @pytest.mark.parametrize("failure", [None, UpstreamTimeout("mail"), RecipientRefused("mail")])
    @pytest.mark.parametrize(
        "meanwhile",
        [
            "vence = vence + interval '1 second', intentos = 2",
            "proceso = gen_random_uuid(), intentos = 2",
            "estado = 'descartado', carga = NULL, fecha_fin = now(), vence = NULL, proceso = NULL",
        ],
        ids=["same_process", "other_process", "discarded"],
    )
    def test_what_was_stored_concurrently_stays(
        self,
        database: Database,
        keyring: Keyring,
        make_runner: MakeRunner,
        connection: Connection,
        failure: Exception | None,
        meanwhile: str,
    ) -> None:
        stored: list[Any] = []

        class SlowSender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                connection.execute(text(f"UPDATE trabajo SET {meanwhile}"))  # noqa: S608
                stored.append(only_row(connection))
                super().send(mail, deadline=deadline)

        enqueue(database, keyring)
        make_runner(SlowSender(failure)).run_next()

        assert stored == [only_row(connection)]


@pytest.fixture
def shared_database(own_database: Settings) -> Iterator[Database]:
    """A database that several connections see."""
    with connected(own_database) as database:
        yield database


class TestSeveralWorkers:
    def test_each_mail_is_sent_by_exactly_one(
        self, shared_database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        for number in range(40):
            enqueue(shared_database, keyring, to=f"p{number}@example.com")
        senders = [ScriptedSender() for _ in range(4)]
        runners = [make_runner(sender, database=shared_database) for sender in senders]
        threads = [threading.Thread(target=runner.run_due) for runner in runners]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        recipients = [mail.to for sender in senders for mail in sender.sent]
        assert sorted(recipients) == sorted(f"p{number}@example.com" for number in range(40))

    def test_a_mail_is_not_seen_by_others_while_it_is_being_sent(
        self, shared_database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        enqueue(shared_database, keyring)
        seen_meanwhile: list[int] = []
        other = make_runner(ScriptedSender(), database=shared_database)

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                seen_meanwhile.append(other.run_due())
                super().send(mail, deadline=deadline)

        assert make_runner(Sender(), database=shared_database).run_due() == 1
        assert seen_meanwhile == [0]

    def test_a_worker_that_died_leaves_a_lease_that_runs_out(
        self, shared_database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        enqueue(shared_database, keyring)

        class Killed(BaseException):
            """A process that ends: nothing after it runs."""

        with pytest.raises(Killed):
            make_runner(ScriptedSender(Killed()), database=shared_database).run_due()  # type: ignore[arg-type]
        sender = ScriptedSender()
        assert make_runner(sender, database=shared_database).run_due() == 0
        with shared_database.transaction() as session:
            session.execute(text("UPDATE trabajo SET vence = now()"))

        assert make_runner(sender, database=shared_database).run_due() == 1


class CountedWaits(threading.Event):
    """Counts how often it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.begun += 1
        return super().wait(timeout)


class TestWorker:
    def test_it_outlives_a_failure_and_goes_on(
        self, shared_database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        delivered = threading.Event()

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                super().send(mail, deadline=deadline)
                delivered.set()

        enqueue(shared_database, keyring)
        enqueue(shared_database, keyring)
        runner = make_runner(Sender(RuntimeError("a defect")), database=shared_database)
        worker = Worker("jobs-correo", runner.run_due, interval_s=0.01)

        worker.start()
        came = delivered.wait(timeout=60)
        worker.stop()

        assert came

    def test_it_outlives_work_that_raises(self) -> None:
        calls: list[None] = []
        again = threading.Event()

        def work() -> None:
            calls.append(None)
            if len(calls) > 1:
                again.set()
            raise RuntimeError

        worker = Worker("test", work, interval_s=0.01)
        worker.start()
        came = again.wait(timeout=60)
        worker.stop()

        assert came

    def test_what_is_due_leaves_without_waiting_in_between(
        self, shared_database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        all_sent, waits = threading.Event(), CountedWaits()
        waits_before: list[int] = []

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                super().send(mail, deadline=deadline)
                waits_before.append(waits.begun)
                if len(self.sent) == 3:
                    all_sent.set()

        for _ in range(3):
            enqueue(shared_database, keyring)
        worker = Worker("jobs-correo", make_runner(Sender(), database=shared_database).run_next, interval_s=0.01)
        worker._stopping = waits  # noqa: SLF001 - between two looks it waits for this event
        worker.start()
        came = all_sent.wait(timeout=60)
        worker.stop()

        assert came
        assert waits_before == [1, 1, 1]

    def test_stopping_finishes_the_mail_under_way_and_leaves_the_others(
        self, shared_database: Database, keyring: Keyring, make_runner: MakeRunner
    ) -> None:
        under_way, go_on = threading.Event(), threading.Event()

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                under_way.set()
                go_on.wait(timeout=60)
                super().send(mail, deadline=deadline)

        for number in range(5):
            enqueue(shared_database, keyring, to=f"p{number}@example.com")
        sender = Sender()
        worker = Worker("jobs-correo", make_runner(sender, database=shared_database).run_next, interval_s=0.01)
        worker.start()
        assert under_way.wait(timeout=60)
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        stopping.join(timeout=0.2)
        go_on.set()
        stopping.join(timeout=60)

        assert [mail.to for mail in sender.sent] == ["p0@example.com"]
        with shared_database.transaction() as session:
            assert len(find(session, kind="correo", states=OPEN, limit=10)) == 4
