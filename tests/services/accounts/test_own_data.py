"""What a principal owns is found through foreign keys, so a new table needs no mention here."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select, text

from maverik_backend.core.database import Database
from maverik_backend.models import Base
from maverik_backend.services.accounts.store import own_data, people
from maverik_backend.services.accounts.store.own_data import EXPORTED, OWNED
from maverik_backend.services.accounts.user import erase
from maverik_backend.web.resources import Resources
from tests.support.fixtures.people import TestUser
from tests.support.fixtures.scan import tables_of_people


def test_every_table_of_a_principal_is_exported() -> None:
    assert set(EXPORTED) == set(tables_of_people())


def test_what_has_no_foreign_key_is_erased_too() -> None:
    assert set(OWNED) - set(EXPORTED) == {"turno_fragmento"}


@pytest.mark.parametrize("name", sorted(OWNED))
def test_a_table_is_erased_before_what_it_refers_to(name: str) -> None:
    order = list(reversed(OWNED))
    parents = {key.column.table.name for key in Base.metadata.tables[name].foreign_keys} & set(OWNED)

    assert all(order.index(name) < order.index(parent) for parent in parents)


def test_events_of_a_running_turn_are_erased_with_it(
    user: TestUser, resources: Resources, database: Database, connection: Connection
) -> None:
    turn = user.say(user.open_session(), "hola")
    connection.execute(
        text("INSERT INTO turno_fragmento (turno_id, intento, numero, eventos) VALUES (:turn, 1, 0, '[]')"),
        {"turn": turn["id"]},
    )

    with database.transaction() as db:
        account = people.get_by_email(db, user.email, for_update=True)
        assert account is not None
        erase(db, account=account, keyring=resources.keyring, support=None)

    assert connection.execute(select(text("1")).select_from(text("turno_fragmento"))).all() == []


def test_parts_of_turns_are_read_by_conversation(user: TestUser, database: Database) -> None:
    conversations = [user.open_session()["id"] for _ in range(3)]
    for conversation in conversations[:2]:
        user.say({"id": conversation}, "hola")

    with database.transaction() as db:
        account = people.get_by_email(db, user.email)
        assert account is not None
        parts = own_data.get_parts(db, principal_id=account.id)

    assert len(parts["sesion_asesoria_detalle"]) == 2
    assert len(parts["conversacion"]) == 1
