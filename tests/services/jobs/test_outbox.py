"""Mails leave once, are tried again, and are not readable at rest."""

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
from maverik_backend.core.database import Database, make_engine
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.security import Keyring, Purpose, generate_paserk
from maverik_backend.errors import MaverikError, RecipientRefused, UpstreamTimeout
from maverik_backend.services.jobs import outbox as outboxes
from maverik_backend.services.jobs.outbox import RETRY_DELAYS, Outbox
from maverik_backend.services.jobs.worker import Worker
from maverik_backend.settings import Settings
from maverik_backend.texts.mail import welcome

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


MakeOutbox = Callable[..., Outbox]


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring([generate_paserk()])


@pytest.fixture
def make_outbox(database: Database, keyring: Keyring) -> MakeOutbox:
    def make(sender: ScriptedSender, *, keyring: Keyring = keyring, database: Database = database) -> Outbox:
        return Outbox(transaction=database.transaction, sender=sender, keyring=keyring, mail_timeout_s=5)

    return make


def enqueue(database: Database, keyring: Keyring, *, to: str = "ana@example.com") -> None:
    with database.transaction() as session:
        outboxes.enqueue(session, keyring=keyring, to=to, letter=LETTER)


def enqueue_content(database: Database, keyring: Keyring, content: str) -> None:
    """A mail whose sealed content another version wrote."""
    sealed = keyring.seal(content.encode(), purpose=Purpose.OUTBOX)
    with database.transaction() as session:
        session.execute(text("INSERT INTO correo_saliente (asunto, carga) VALUES ('x', :sealed)"), {"sealed": sealed})


def only_row(connection: Connection) -> Any:
    return connection.execute(text("SELECT * FROM correo_saliente")).one()


class TestClaiming:
    def test_one_mail_at_a_time_whatever_the_plan(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        """PostgreSQL chooses such a plan of its own when its statistics say so; here it has no other."""
        for other in ("hashjoin", "hashagg", "material", "sort"):
            connection.execute(text(f"SET LOCAL enable_{other} = off"))
        for number in range(5):
            enqueue(database, keyring, to=f"p{number}@example.com")
        sender = ScriptedSender()

        assert make_outbox(sender).deliver_due() == 5

        assert sorted(mail.to for mail in sender.sent) == [f"p{number}@example.com" for number in range(5)]


class TestEnqueue:
    def test_a_mail_is_not_readable_at_rest(self, database: Database, keyring: Keyring, connection: Connection) -> None:
        enqueue(database, keyring)

        stored = str(only_row(connection))
        assert "abcdefghijklmnop" not in stored
        assert "ana@example.com" not in stored

    def test_it_is_gone_when_the_business_fails(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        def fail_after_enqueueing() -> None:
            with database.transaction() as session:
                outboxes.enqueue(session, keyring=keyring, to="a@example.com", letter=LETTER)
                raise MaverikError

        with pytest.raises(MaverikError):
            fail_after_enqueueing()

        assert make_outbox(ScriptedSender()).deliver_due() == 0


class TestDeliver:
    def test_a_mail_leaves_once_with_both_forms(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        enqueue(database, keyring)
        sender = ScriptedSender()

        assert make_outbox(sender).deliver_due() == 1
        assert make_outbox(sender).deliver_due() == 0

        (mail,) = sender.sent
        assert (mail.to, mail.subject) == ("ana@example.com", LETTER.subject)
        assert "\nClave: abcdefghijklmnop\n" in mail.text
        assert "Clave: abcdefghijklmnop" in mail.html

    def test_what_was_sent_is_erased(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        make_outbox(ScriptedSender()).deliver_due()

        row = only_row(connection)
        assert (row.estado, row.carga, row.intentos, row.ultimo_error) == ("enviado", None, 1, None)
        assert row.fecha_envio is not None

    def test_a_failure_is_tried_again_later(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        sender = ScriptedSender(UpstreamTimeout("mail"))

        assert make_outbox(sender).deliver_due() == 0

        row = only_row(connection)
        assert (row.estado, row.ultimo_error) == ("pendiente", "timeout")
        assert abs(row.proximo_intento - datetime.now(UTC) - RETRY_DELAYS[0]) < timedelta(seconds=10)

    def test_the_next_try_carries_the_same_reference(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        references: list[str] = []

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                references.append(mail.reference)
                super().send(mail, deadline=deadline)

        enqueue(database, keyring)
        sender = Sender(UpstreamTimeout("mail"))
        make_outbox(sender).deliver_due()
        connection.execute(text("UPDATE correo_saliente SET proximo_intento = now()"))

        assert make_outbox(sender).deliver_due() == 1
        assert len(set(references)) == 1

    def test_the_reference_is_another_one_in_another_database(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        sender = ScriptedSender()
        for _ in range(2):  # databases that both number their mails from one
            connection.execute(text("DELETE FROM correo_saliente"))
            connection.execute(text("ALTER SEQUENCE correo_saliente_id_seq RESTART"))
            enqueue(database, keyring)
            make_outbox(sender).deliver_due()

        first, second = (mail.reference for mail in sender.sent)
        assert first[:19] == second[:19] == "maverik-0000000001-"
        assert first != second

    def test_a_mail_sealed_by_an_earlier_version_leaves_with_its_number(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        sender = ScriptedSender()
        content = {"to": "ana@example.com", "subject": "Hola", "text": "x", "html": "x"}
        enqueue_content(database, keyring, json.dumps(content))

        make_outbox(sender).deliver_due()

        assert sender.sent == [Mail(**content, reference=f"maverik-{only_row(connection).id:010d}")]

    def test_the_next_one_is_tried_alone(self, database: Database, keyring: Keyring, make_outbox: MakeOutbox) -> None:
        for _ in range(2):
            enqueue(database, keyring)
        sender = ScriptedSender(UpstreamTimeout("mail"))
        outbox = make_outbox(sender)

        assert [outbox.deliver_next() for _ in range(3)] == [True, True, False]
        assert len(sender.sent) == 1

    @pytest.mark.parametrize("attempt", range(len(RETRY_DELAYS)))
    def test_every_wait_of_the_table_is_kept(
        self,
        database: Database,
        keyring: Keyring,
        make_outbox: MakeOutbox,
        connection: Connection,
        attempt: int,
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE correo_saliente SET intentos = :done"), {"done": attempt})

        make_outbox(ScriptedSender(UpstreamTimeout("mail"))).deliver_due()

        wait = only_row(connection).proximo_intento - datetime.now(UTC)
        assert abs(wait - RETRY_DELAYS[attempt]) < timedelta(seconds=10)

    def test_after_the_last_wait_it_is_given_up_and_erased(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE correo_saliente SET intentos = :done"), {"done": len(RETRY_DELAYS)})

        make_outbox(ScriptedSender(UpstreamTimeout("mail"))).deliver_due()

        assert (only_row(connection).estado, only_row(connection).carga) == ("fallido", None)

    def test_a_recipient_refused_for_good_is_given_up_at_once(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        make_outbox(ScriptedSender(RecipientRefused("mail"))).deliver_due()

        assert (only_row(connection).estado, only_row(connection).ultimo_error) == ("fallido", "refused")

    def test_the_reason_is_on_record(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        make_outbox(ScriptedSender(RecipientRefused("mail", "reply 550 5.1.1"))).deliver_due()

        row = only_row(connection)
        assert (row.estado, row.intentos, row.ultimo_error) == ("fallido", 1, "refused (reply 550 5.1.1)")

    def test_one_that_no_key_opens_is_given_up(
        self, database: Database, make_outbox: MakeOutbox, connection: Connection, keyring: Keyring
    ) -> None:
        enqueue(database, Keyring([generate_paserk()]))

        make_outbox(ScriptedSender(), keyring=keyring).deliver_due()

        assert (only_row(connection).estado, only_row(connection).ultimo_error) == ("fallido", "unsealable")

    def test_one_bad_mail_does_not_hold_up_the_others(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        for number in range(3):
            enqueue(database, keyring, to=f"p{number}@example.com")
        sender = ScriptedSender(None, UpstreamTimeout("mail"), None)

        assert make_outbox(sender).deliver_due() == 2


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
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)

        assert make_outbox(BrokenHeaderSender()).deliver_due() == 0

        row = only_row(connection)
        assert (row.estado, row.ultimo_error, row.intentos) == ("pendiente", "defect", 1)
        assert abs(row.proximo_intento - datetime.now(UTC) - RETRY_DELAYS[0]) < timedelta(seconds=10)

    @pytest.mark.parametrize("content", ["{", "[]", "null", "{}", '{"to": "ana@example.com", "cc": "x"}'])
    def test_a_content_of_another_shape_is_one(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection, content: str
    ) -> None:
        enqueue_content(database, keyring, content)

        assert make_outbox(ScriptedSender()).deliver_due() == 0

        assert (only_row(connection).estado, only_row(connection).ultimo_error) == ("pendiente", "defect")

    def test_after_the_last_wait_it_is_given_up_and_erased(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection
    ) -> None:
        enqueue(database, keyring)
        connection.execute(text("UPDATE correo_saliente SET intentos = :done"), {"done": len(RETRY_DELAYS)})

        make_outbox(BrokenHeaderSender()).deliver_due()

        assert (only_row(connection).estado, only_row(connection).carga) == ("fallido", None)

    @pytest.mark.parametrize("count", [len(RETRY_DELAYS) + 1, 2**15 - 1])
    def test_one_that_never_was_settled_is_given_up_without_another_try(
        self, database: Database, keyring: Keyring, make_outbox: MakeOutbox, connection: Connection, count: int
    ) -> None:
        """Such as one that ends the process each time."""
        enqueue(database, keyring)
        connection.execute(text("UPDATE correo_saliente SET intentos = :count"), {"count": count})
        sender = ScriptedSender()

        assert make_outbox(sender).deliver_due() == 0

        assert (only_row(connection).estado, only_row(connection).ultimo_error) == ("fallido", "defect")
        assert sender.sent == []

    def test_neither_a_mail_nor_a_letter_shows_the_key_it_holds(self) -> None:
        mail = Mail(to="ana@example.com", subject="x", text="abcdefghijklmnop", html="", reference="r")

        assert "abcdefghijklmnop" not in f"{mail!r} {LETTER!r} {mail} {LETTER}"


class TestLostLeases:
    @pytest.mark.parametrize("failure", [None, UpstreamTimeout("mail"), RecipientRefused("mail")])
    @pytest.mark.parametrize("meanwhile", ["intentos = 2", "estado = 'fallido', carga = NULL"])
    def test_what_somebody_else_wrote_meanwhile_stays(
        self,
        database: Database,
        keyring: Keyring,
        make_outbox: MakeOutbox,
        connection: Connection,
        failure: Exception | None,
        meanwhile: str,
    ) -> None:
        class SlowSender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                connection.execute(text(f"UPDATE correo_saliente SET {meanwhile}"))  # noqa: S608
                super().send(mail, deadline=deadline)

        enqueue(database, keyring)
        outbox = make_outbox(SlowSender(failure))

        outbox.deliver_next()

        row = only_row(connection)
        assert (row.estado, row.ultimo_error, row.fecha_envio) in {("pendiente", None, None), ("fallido", None, None)}
        assert (row.estado == "fallido") == ("fallido" in meanwhile)


@pytest.fixture
def shared_database(own_database: Settings) -> Iterator[Database]:
    """A database that several connections see."""
    database = Database(make_engine(own_database))
    yield database
    database.dispose()


class TestSeveralWorkers:
    def test_each_mail_is_sent_by_exactly_one(
        self, shared_database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        for number in range(40):
            enqueue(shared_database, keyring, to=f"p{number}@example.com")
        senders = [ScriptedSender() for _ in range(4)]
        outboxes_ = [make_outbox(sender, database=shared_database) for sender in senders]
        threads = [threading.Thread(target=outbox.deliver_due) for outbox in outboxes_]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        recipients = [mail.to for sender in senders for mail in sender.sent]
        assert sorted(recipients) == sorted(f"p{number}@example.com" for number in range(40))

    def test_a_mail_is_not_seen_by_others_while_it_is_being_sent(
        self, shared_database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        enqueue(shared_database, keyring)
        seen_meanwhile: list[int] = []
        other = make_outbox(ScriptedSender(), database=shared_database)

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                seen_meanwhile.append(other.deliver_due())
                super().send(mail, deadline=deadline)

        assert make_outbox(Sender(), database=shared_database).deliver_due() == 1
        assert seen_meanwhile == [0]

    def test_a_worker_that_died_leaves_a_lease_that_runs_out(
        self, shared_database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        enqueue(shared_database, keyring)

        class Killed(BaseException):
            """Stands for a process that is gone: nothing after it runs."""

        with pytest.raises(Killed):
            make_outbox(ScriptedSender(Killed()), database=shared_database).deliver_due()  # type: ignore[arg-type]
        sender = ScriptedSender()
        assert make_outbox(sender, database=shared_database).deliver_due() == 0
        with shared_database.transaction() as session:
            session.execute(text("UPDATE correo_saliente SET proximo_intento = now()"))

        assert make_outbox(sender, database=shared_database).deliver_due() == 1


class TestWorker:
    def test_it_outlives_a_failure_and_goes_on(
        self, shared_database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        delivered = threading.Event()

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                super().send(mail, deadline=deadline)
                delivered.set()

        enqueue(shared_database, keyring)
        enqueue(shared_database, keyring)
        outbox = make_outbox(Sender(RuntimeError("a defect")), database=shared_database)
        worker = Worker("outbox", outbox.deliver_due, interval_s=0.01)

        worker.start()
        came = delivered.wait(timeout=10)
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
        came = again.wait(timeout=10)
        worker.stop()

        assert came

    def test_what_is_due_leaves_without_waiting_in_between(
        self, shared_database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        all_sent = threading.Event()

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                super().send(mail, deadline=deadline)
                if len(self.sent) == 3:
                    all_sent.set()

        for _ in range(3):
            enqueue(shared_database, keyring)
        worker = Worker("outbox", make_outbox(Sender(), database=shared_database).deliver_next, interval_s=2)
        worker.start()
        came = all_sent.wait(timeout=3.9)  # a wait, and not a second one
        worker.stop()

        assert came

    def test_stopping_finishes_the_mail_under_way_and_leaves_the_others(
        self, shared_database: Database, keyring: Keyring, make_outbox: MakeOutbox
    ) -> None:
        under_way, go_on = threading.Event(), threading.Event()

        class Sender(ScriptedSender):
            def send(self, mail: Mail, *, deadline: Deadline) -> None:
                under_way.set()
                go_on.wait(timeout=10)
                super().send(mail, deadline=deadline)

        for number in range(5):
            enqueue(shared_database, keyring, to=f"p{number}@example.com")
        sender = Sender()
        worker = Worker("outbox", make_outbox(sender, database=shared_database).deliver_next, interval_s=0.01)
        worker.start()
        assert under_way.wait(timeout=10)
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        stopping.join(timeout=0.2)
        go_on.set()
        stopping.join(timeout=10)

        assert [mail.to for mail in sender.sent] == ["p0@example.com"]
        with shared_database.transaction() as session:
            assert len(outboxes.get_unsent(session)) == 4
