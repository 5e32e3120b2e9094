"""What operators do to accounts, as they do it: real processes, sentences instead of tracebacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.security import PasswordHasher
from maverik_backend.models import Base
from maverik_backend.services.accounts.store.merging import ENDED, MOVED
from maverik_backend.settings import Settings
from tests.support.fixtures.database import Alembic, rows
from tests.support.fixtures.people import key_in
from tests.support.forked import run_forked
from tests.support.processes import run_maverik, told_command

Maverik = Callable[..., "CompletedProcess[str]"]

DECODED = "=?utf-8?q?m=40ev.co=3c?=z@corp.example"
"""An address of another release: mail software finds a second one in it, so it gets no mail."""


def runner(settings: Settings, cwd: Path, *, run: Maverik = run_forked) -> Maverik:
    return partial(run, cwd=cwd, LOCAL_DATA_DIR=str(settings.app.local_data_dir), DB_NAME=settings.database.name)


@pytest.fixture
def maverik(own_database: Settings, tmp_path: Path) -> Maverik:
    """``maverik("users", "list")`` on a database of the test's own."""
    return runner(own_database, tmp_path)


@pytest.fixture
def started_maverik(own_database: Settings, tmp_path: Path) -> Maverik:
    """The same, as an operator starts it."""
    return runner(own_database, tmp_path, run=run_maverik)


def add(settings: Settings, email: str, **values: str) -> int:
    values = {"clave_hash": "'x'", **values}
    statement = (
        f"INSERT INTO usuario (email, {', '.join(values)}) VALUES (:email, {', '.join(values.values())}) RETURNING id"  # noqa: S608
    )
    return int(rows(settings, statement, email=email)[0]["id"])


def open_login(settings: Settings, user_id: int) -> None:
    rows(settings, "INSERT INTO inicio_sesion (usuario_id, vence) VALUES (:id, now() + interval '1 day')", id=user_id)


def add_factor(settings: Settings, user_id: int) -> None:
    rows(settings, "INSERT INTO segundo_factor (usuario_id, secreto, activado) VALUES (:id, 'x', now())", id=user_id)
    rows(settings, "INSERT INTO codigo_recuperacion (usuario_id, resumen) VALUES (:id, 'x')", id=user_id)


def open_logins(settings: Settings) -> int:
    (row,) = rows(settings, "SELECT count(*) FROM inicio_sesion WHERE cerrado IS NULL")
    return int(row["count"])


def assert_told(result: CompletedProcess[str], sentence: str) -> None:
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"{sentence}\n"


class TestList:
    def test_every_account_is_shown_with_its_state(self, started_maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com", email_verificado="now()", fecha_creacion="'2025-03-01'")
        add(own_database, "bob@example.com", deshabilitado="now()", fecha_creacion="'2025-03-02'")
        add(own_database, "eva@example.com", fecha_creacion="'2025-03-03'")
        add(own_database, DECODED, fecha_creacion="'2025-03-04'")

        result = started_maverik("users", "list")

        assert result.stdout.splitlines() == [
            "1\tana@example.com\tverified\tsince 2025-03-01",
            "2\tbob@example.com\tdisabled\tsince 2025-03-02",
            "3\teva@example.com\tnever signed in\tsince 2025-03-03",
            f"4\t{DECODED}\tnever signed in, gets no mail\tsince 2025-03-04",
        ], result.stderr

    def test_a_database_that_is_not_upgraded_is_told_in_a_sentence(
        self, empty_database: Settings, alembic: Callable[[Settings], Alembic], tmp_path: Path
    ) -> None:
        alembic(empty_database)("upgrade", "0b2e5472511d")

        result = runner(empty_database, tmp_path)("users", "list")

        assert result.returncode == 2
        assert "-m maverik_backend migrate`." in result.stderr
        assert "Traceback" not in result.stderr

    def test_that_there_is_none_is_said(self, maverik: Maverik) -> None:
        assert maverik("users", "list").stdout == "There is no account yet.\n"


class TestCreate:
    def test_the_key_is_mailed_and_signs_in(self, maverik: Maverik, own_database: Settings) -> None:
        result = maverik("users", "create", "Ana.Nueva@Example.com")
        assert (result.returncode, result.stdout) == (0, "Created; the key is on its way by mail.\n"), result.stderr
        assert maverik("jobs", "run").stdout == "1 done\n"

        (mail,) = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail)).mails_to(
            "ana.nueva@example.com"
        )
        (row,) = rows(own_database, "SELECT clave_hash, debe_cambiar_clave, clave_vence FROM usuario")
        assert PasswordHasher().verify(row["clave_hash"], key_in(mail))
        assert row["debe_cambiar_clave"] is True
        assert row["clave_vence"] is not None

    def test_an_address_that_has_an_account_is_told_in_a_sentence(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        add(own_database, "ana@example.com")

        assert_told(
            maverik("users", "create", "ANA@example.com"),
            f"ana@example.com has an account already: see `{told_command('users list')}`.",
        )

    def test_what_is_no_address_is_told_in_a_sentence(self, maverik: Maverik) -> None:
        assert_told(maverik("users", "create", "ana"), "ana is not an address that an account may have.")

    def test_an_address_that_could_be_read_as_another_one_is_refused(self, maverik: Maverik) -> None:
        assert_told(maverik("users", "create", DECODED), f"{DECODED} is not an address that an account may have.")


class TestDisable:
    def test_the_account_closes_with_its_logins_and_opens_again(self, maverik: Maverik, own_database: Settings) -> None:
        ana, bob = (add(own_database, f"{name}@example.com") for name in ("ana", "bob"))
        open_login(own_database, ana)
        open_login(own_database, bob)
        closed = "SELECT email FROM usuario WHERE deshabilitado IS NOT NULL"

        assert maverik("users", "disable", "ANA@example.com").stdout == "Disabled; every login has ended.\n"
        assert rows(own_database, closed) == [{"email": "ana@example.com"}]
        assert open_logins(own_database) == 1

        assert maverik("users", "disable", "--undo", "ana@example.com").stdout == "Open again.\n"
        assert rows(own_database, closed) == []
        assert rows(own_database, "SELECT tipo FROM evento_seguridad ORDER BY id") == [
            {"tipo": "cuenta_deshabilitada"},
            {"tipo": "cuenta_habilitada"},
        ]


class TestResetKey:
    def test_the_old_key_logins_and_links_end_and_another_key_is_mailed(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        ana = add(own_database, "ana.olvido@example.com")
        open_login(own_database, ana)
        rows(
            own_database,
            "INSERT INTO enlace_clave (usuario_id, resumen, vence) VALUES (:id, 'old', now() + interval '1 day')",
            id=ana,
        )

        result = maverik("users", "reset-key", "ana.olvido@example.com")

        assert result.stdout == "The old key no longer works; the new one is on its way by mail.\n", result.stderr
        maverik("jobs", "run")
        mailbox = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail))
        (row,) = rows(own_database, "SELECT clave_hash, debe_cambiar_clave FROM usuario")
        assert PasswordHasher().verify(row["clave_hash"], key_in(mailbox.mails_to("ana.olvido@example.com")[-1]))
        assert row["debe_cambiar_clave"] is True
        assert open_logins(own_database) == 0
        assert rows(own_database, "SELECT resumen = 'old' AS old FROM enlace_clave") == [{"old": False}]

    def test_an_owner_of_long_standing_is_told_what_happened(self, maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com", email_verificado="now()")
        add(own_database, "eva@example.com", debe_cambiar_clave="true", clave_vence="now()")

        for email in ("ana@example.com", "eva@example.com"):
            maverik("users", "reset-key", email)

        maverik("jobs", "run")
        mailbox = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail))
        assert mailbox.mails_to("ana@example.com")[-1]["Subject"] == "Reemplazamos tu clave de Maverik"
        assert mailbox.mails_to("eva@example.com")[-1]["Subject"] == "Te damos la bienvenida a Maverik"

    def test_a_disabled_account_is_to_be_opened_first(self, maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com", deshabilitado="now()")

        assert_told(
            maverik("users", "reset-key", "ANA@example.com"),
            f"ana@example.com is disabled: open the account first, `{told_command('users disable --undo EMAIL')}`.",
        )
        assert rows(own_database, "SELECT clave_hash FROM usuario") == [{"clave_hash": "x"}]

    def test_an_account_whose_address_gets_no_mail_keeps_its_key(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        add(own_database, DECODED)

        assert_told(
            maverik("users", "reset-key", DECODED),
            f"{DECODED} gets no mail: keep an account with another address, `{told_command('users merge')}`.",
        )
        assert rows(own_database, "SELECT clave_hash FROM usuario") == [{"clave_hash": "x"}]


class TestOperator:
    def test_the_role_is_given_and_taken_and_both_are_on_record(self, maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com", fecha_creacion="'2025-03-01'")
        add(own_database, "bob@example.com", fecha_creacion="'2025-03-01'")
        operators = "SELECT email FROM usuario WHERE operador IS NOT NULL"

        assert maverik("users", "operator", "ANA@example.com").stdout == "An operator now.\n"
        assert rows(own_database, operators) == [{"email": "ana@example.com"}]
        assert [line.split("\t")[4:] for line in maverik("users", "list").stdout.splitlines()] == [["operator"], []]

        assert maverik("users", "operator", "--revoke", "ana@example.com").stdout == "No longer an operator.\n"
        assert rows(own_database, operators) == []
        assert rows(own_database, "SELECT usuario_id, tipo FROM evento_seguridad ORDER BY id") == [
            {"usuario_id": 1, "tipo": "operador_nombrado"},
            {"usuario_id": 1, "tipo": "operador_revocado"},
        ]

    def test_a_disabled_account_does_not_get_it(self, maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com", deshabilitado="now()")

        assert_told(
            maverik("users", "operator", "ana@example.com"),
            f"ana@example.com is disabled: open the account first, `{told_command('users disable --undo EMAIL')}`.",
        )


class TestRemoveFactor:
    def test_the_second_factor_goes_with_its_codes_and_the_logins_and_a_mail_tells_the_owner(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        ana, bob = (add(own_database, f"{name}@example.com") for name in ("sin-factor", "bob"))
        for user_id in (ana, bob):
            open_login(own_database, user_id)
            add_factor(own_database, user_id)

        result = maverik("users", "remove-factor", "SIN-FACTOR@example.com")

        assert result.stdout == "Removed; every login has ended, and a mail tells the owner.\n", result.stderr
        for table in ("segundo_factor", "codigo_recuperacion"):
            assert rows(own_database, f"SELECT usuario_id FROM {table}") == [{"usuario_id": bob}]  # noqa: S608
        assert open_logins(own_database) == 1
        assert rows(own_database, "SELECT usuario_id, tipo FROM evento_seguridad") == [
            {"usuario_id": ana, "tipo": "segundo_factor_quitado"}
        ]
        maverik("jobs", "run")
        mailbox = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail))
        (mail,) = mailbox.mails_to("sin-factor@example.com")
        assert mail["Subject"] == "Quitamos el segundo factor de tu cuenta de Maverik"

    def test_one_that_is_not_there_is_told_in_a_sentence(self, maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com")

        assert_told(maverik("users", "remove-factor", "ana@example.com"), "ana@example.com has no second factor.")


class TestReseal:
    def test_it_says_how_many_secrets_it_was(self, maverik: Maverik, own_database: Settings) -> None:
        del own_database

        assert maverik("keys", "reseal").stdout == "0 secrets sealed anew\n"


class TestMerge:
    def test_what_one_owns_goes_to_the_other_and_its_ways_in_end(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        keep, drop = (add(own_database, f"{name}@example.com") for name in ("ana", "ana.vieja"))
        for user_id in (keep, drop):
            open_login(own_database, user_id)
            add_factor(own_database, user_id)
            rows(own_database, "INSERT INTO sesion_asesoria (usuario_id) VALUES (:id)", id=user_id)
            rows(own_database, "INSERT INTO evento_seguridad (usuario_id, tipo) VALUES (:id, 'registro')", id=user_id)
            rows(
                own_database,
                "INSERT INTO enlace_clave (usuario_id, resumen, vence) VALUES (:id, :digest, now())",
                id=user_id,
                digest=str(user_id).encode(),
            )

        result = maverik("users", "merge", "--yes", str(keep), str(drop))

        assert result.stdout.splitlines() == [
            f"KEEP {keep} (ana@example.com, 1 sessions): its address, key and profile stay.",
            f"DROP {drop} (ana.vieja@example.com, 1 sessions): its sessions move, it is removed.",
            f"Account {drop} is now part of {keep}; 1 sessions moved.",
        ], result.stderr
        assert rows(own_database, "SELECT email FROM usuario") == [{"email": "ana@example.com"}]
        for table, left in (
            ("sesion_asesoria", 2),
            ("evento_seguridad", 3),
            ("inicio_sesion", 1),
            ("enlace_clave", 1),
            ("segundo_factor", 1),
            ("codigo_recuperacion", 1),
        ):
            assert rows(own_database, f"SELECT usuario_id FROM {table}") == [{"usuario_id": keep}] * left  # noqa: S608

    def test_what_a_second_factor_protects_is_not_given_to_an_account_without_one(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        keep, drop = (add(own_database, f"{name}@example.com") for name in ("sola", "con-factor"))
        add_factor(own_database, drop)

        refused = maverik("users", "merge", "--yes", str(keep), str(drop))

        assert refused.returncode == 2
        assert refused.stderr == (
            "con-factor@example.com has a second factor, and the account that stays has none: "
            "let its owner add one first, or say --drop-second-factor.\n"
        )
        assert len(rows(own_database, "SELECT id FROM usuario")) == 2

    def test_unless_that_is_said_and_both_addresses_are_told(self, maverik: Maverik, own_database: Settings) -> None:
        keep, drop = (add(own_database, f"{name}@example.com") for name in ("sola", "con-factor"))
        add_factor(own_database, drop)

        merged = maverik("users", "merge", "--yes", "--drop-second-factor", str(keep), str(drop))

        assert merged.returncode == 0, merged.stderr
        assert rows(own_database, "SELECT usuario_id, tipo FROM evento_seguridad ORDER BY id") == [
            {"usuario_id": keep, "tipo": "segundo_factor_quitado"},
            {"usuario_id": keep, "tipo": "cuentas_unidas"},
        ]
        maverik("jobs", "run")
        mailbox = LocalMailbox(own_database.mailbox_dir, sender=Sender.from_settings(own_database.mail))
        for name in ("sola", "con-factor"):
            (mail,) = mailbox.mails_to(f"{name}@example.com")
            assert mail["Subject"] == "Unimos dos cuentas de Maverik"

    def test_nothing_is_merged_without_a_confirmation(self, maverik: Maverik, own_database: Settings) -> None:
        keep, drop = (add(own_database, f"{name}@example.com") for name in ("ana", "ana.vieja"))

        result = maverik("users", "merge", str(keep), str(drop))  # standard input is empty

        assert result.returncode == 1
        assert "This cannot be undone. Go on?" in result.stdout
        assert len(rows(own_database, "SELECT id FROM usuario")) == 2

    def test_an_address_that_gets_mail_is_not_given_up_for_one_that_gets_none(
        self, maverik: Maverik, own_database: Settings
    ) -> None:
        without_mail, with_mail = (add(own_database, email) for email in (DECODED, "ana@example.com"))

        refused = maverik("users", "merge", "--yes", str(without_mail), str(with_mail))

        assert refused.returncode == 2
        assert (
            refused.stderr
            == f"{DECODED} gets no mail: keep an account with another address, `{told_command('users merge')}`.\n"
        )
        assert maverik("users", "merge", "--yes", str(with_mail), str(without_mail)).returncode == 0
        assert rows(own_database, "SELECT email FROM usuario") == [{"email": "ana@example.com"}]

    def test_collections_of_the_same_name_are_kept_apart(self, maverik: Maverik, own_database: Settings) -> None:
        keep, drop = (add(own_database, f"{name}@example.com") for name in ("ana", "ana.vieja"))
        for person in (keep, drop):
            statement = "INSERT INTO coleccion (slug, nombre, principal_id) VALUES ('documentos', 'Míos', :person)"
            rows(own_database, statement, person=person)

        assert maverik("users", "merge", "--yes", str(keep), str(drop)).returncode == 0

        query = "SELECT slug FROM coleccion WHERE principal_id = :person ORDER BY slug"
        first, second = rows(own_database, query, person=keep)
        assert first["slug"] == "documentos"
        assert second["slug"].startswith("documentos-")

    def test_it_is_on_record(self, maverik: Maverik, own_database: Settings) -> None:
        keep, drop = (add(own_database, f"{name}@example.com") for name in ("ana", "ana.vieja"))

        maverik("users", "merge", "--yes", str(keep), str(drop))

        assert rows(own_database, "SELECT usuario_id, tipo FROM evento_seguridad") == [
            {"usuario_id": keep, "tipo": "cuentas_unidas"}
        ]

    def test_it_knows_every_column_that_says_whose_a_row_is(self) -> None:
        owners = {"principal", "usuario"}
        owned = {
            (table.name, key.parent.name)
            for table in Base.metadata.tables.values()
            for key in table.foreign_keys
            if key.column.table.name in owners and table.name not in owners
        }

        assert {*MOVED.items(), *ENDED.items()} == owned

    def test_it_works_before_an_upgrade_which_then_passes(
        self, empty_database: Settings, alembic: Callable[[Settings], Alembic], tmp_path: Path
    ) -> None:
        maverik = runner(empty_database, tmp_path)
        alembic(empty_database)("upgrade", "0b2e5472511d")
        rows(
            empty_database,
            "INSERT INTO usuario (email, clave) VALUES ('ana@example.com', 'a'), ('ANA@example.com', 'b')",
        )
        rows(empty_database, "INSERT INTO sesion_asesoria (usuario_id) VALUES (2)")

        stopped = maverik("migrate")
        assert stopped.returncode == 1
        assert "  ana@example.com: users 1, 2" in stopped.stderr.splitlines()
        assert "Traceback" not in stopped.stderr

        assert maverik("users", "merge", "--yes", "1", "2").returncode == 0
        assert maverik("migrate").stdout == "The database is up to date.\n"
        assert rows(empty_database, "SELECT usuario_id FROM sesion_asesoria") == [{"usuario_id": 1}]

    def test_one_account_twice_is_told_in_a_sentence(self, maverik: Maverik, own_database: Settings) -> None:
        add(own_database, "ana@example.com")

        assert_told(maverik("users", "merge", "1", "1"), "KEEP and DROP are the same account: name two.")
        assert rows(own_database, "SELECT id FROM usuario") == [{"id": 1}]


@pytest.mark.parametrize(
    "command",
    [
        ("users", "disable", "nadie@example.com"),
        ("users", "reset-key", "nadie@example.com"),
        ("users", "operator", "nadie@example.com"),
        ("users", "remove-factor", "nadie@example.com"),
        ("users", "merge", "--yes", "1", "2"),
    ],
    ids=lambda command: command[1],
)
def test_an_account_that_is_not_there_is_told_in_a_sentence(maverik: Maverik, command: tuple[str, ...]) -> None:
    assert_told(maverik(*command), f"There is no such account: see `{told_command('users list')}`.")


class TestHelp:
    @pytest.mark.parametrize(
        ("command", "told"),
        [("create", "the first answer of every question"), ("merge", "KEEP and DROP are ids")],
    )
    def test_what_the_name_of_a_command_does_not_tell_is_told(self, maverik: Maverik, command: str, told: str) -> None:
        assert told in " ".join(maverik("users", command, "--help").stdout.split())


class TestCleanup:
    def test_it_says_how_much_went(self, started_maverik: Maverik, own_database: Settings) -> None:
        rows(own_database, "INSERT INTO limite_uso VALUES ('a', 1, now()), ('b', 1, now() + interval '1 hour')")

        result = started_maverik("cleanup")

        assert (result.returncode, result.stdout) == (0, "1 rows deleted\n"), result.stderr
        assert rows(own_database, "SELECT clave FROM limite_uso") == [{"clave": "b"}]
