"""What is answered as done is done: a request's transaction is committed before its answer is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maverik_backend.core.database import Database
from maverik_backend.settings import Settings
from tests.support.fixtures.database import connected, rows
from tests.support.fixtures.people import TestUser

# A deferred constraint is checked by COMMIT: every statement before it succeeds.
COMMIT_FAILS = (
    """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE integrity_constraint_violation; END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON usuario
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
    """,
)


@pytest.fixture
def migrated_settings(own_database: Settings) -> Settings:
    """A database of the test's own: in the one that tests share nothing is ever committed."""
    return own_database


@pytest.fixture
def database(migrated_settings: Settings) -> Iterator[Database]:
    with connected(migrated_settings) as database:
        yield database


class TestCommit:
    def test_a_change_that_is_answered_with_success_is_committed(
        self, user: TestUser, migrated_settings: Settings
    ) -> None:
        assert user.patch("/user/me", {"busca_invertir_en_id": 4}).status_code == 200

        assert rows(migrated_settings, "SELECT busca_invertir_en_id FROM usuario") == [{"busca_invertir_en_id": 4}]

    def test_a_commit_that_fails_is_not_answered_with_success(
        self, user: TestUser, migrated_settings: Settings
    ) -> None:
        before = user.get("/user/me").json()
        for statement in COMMIT_FAILS:
            rows(migrated_settings, statement)

        response = user.patch("/user/me", {"busca_invertir_en_id": 4})

        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert user.get("/user/me").json() == before
