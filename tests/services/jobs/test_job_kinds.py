"""What holds for every kind of job that the application registers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, text

from maverik_backend.api import job_kinds
from maverik_backend.core.database import Database
from maverik_backend.services.jobs import JobKind, MailJob, MailPayload, enqueue
from maverik_backend.services.knowledge import EmbeddingJob, EmbeddingPayload, IngestionJob, IngestionPayload
from maverik_backend.web.resources import Resources

# A payload of each kind; the text must not be readable at rest where the kind is sealed.
TEXT = "texto-reconocible"
PAYLOADS: dict[str, BaseModel] = {
    MailJob.name: MailPayload(to=f"{TEXT}@example.com", subject=TEXT, text=TEXT, html=TEXT),
    IngestionJob.name: IngestionPayload(document_id=7),
    EmbeddingJob.name: EmbeddingPayload(model="openai:prueba"),
}
KINDS = sorted(PAYLOADS)
DAYS_30 = timedelta(days=30)


@pytest.fixture
def kind(resources: Resources, name: str) -> JobKind[Any]:
    return resources.jobs.kinds[name]


def test_every_registered_kind_is_tested(resources: Resources) -> None:
    assert sorted(resources.jobs.kinds) == KINDS


def test_names_are_unique(resources: Resources) -> None:
    kinds = job_kinds(
        resources.settings, resources.clients, transaction=resources.database.transaction, keyring=resources.keyring
    )
    names = [kind.name for kind in kinds]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", KINDS)
class TestEveryKind:
    def test_its_name_is_a_label(self, kind: JobKind[Any]) -> None:
        assert kind.name.isidentifier()
        assert kind.name.islower()

    def test_its_bounds_are_positive_and_its_delays_grow(self, kind: JobKind[Any]) -> None:
        assert 0 < kind.timeout_s <= 3600
        assert 1 <= kind.concurrency <= 32
        assert list(kind.retry_delays) == sorted(kind.retry_delays)
        assert timedelta() < min(kind.retry_delays)
        # A job is over before the keys that seal it may be removed (docs/OPERATIONS.md, rotating the key).
        assert sum(kind.retry_delays, timedelta()) < DAYS_30

    def test_its_payload_comes_back_as_it_was(self, kind: JobKind[Any]) -> None:
        payload = PAYLOADS[kind.name]

        assert kind.parse(payload.model_dump_json(exclude_none=True)) == payload

    @pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"otro": "mi secreto"}'])
    def test_a_payload_of_another_shape_is_refused_without_quoting_it(self, kind: JobKind[Any], content: str) -> None:
        with pytest.raises(ValueError, match=r".") as refused:
            kind.parse(content)

        assert "secreto" not in str(refused.value)

    def test_it_is_readable_at_rest_only_where_it_is_not_sealed(
        self, kind: JobKind[Any], database: Database, connection: Connection, resources: Resources
    ) -> None:
        with database.transaction() as db:
            enqueue(db, type(kind), PAYLOADS[kind.name], keyring=resources.keyring)

        stored = str(connection.execute(text("SELECT * FROM trabajo")).one())
        payload = PAYLOADS[kind.name].model_dump_json(exclude_none=True)
        assert (payload in stored) == (kind.sealed_as is None)
        assert kind.sealed_as is None or TEXT not in stored

    def test_a_job_is_deleted_with_its_principal(
        self, kind: JobKind[Any], database: Database, connection: Connection, resources: Resources
    ) -> None:
        person = connection.scalar(text("INSERT INTO usuario (email, clave_hash) VALUES ('a@b.ar', 'x') RETURNING id"))
        with database.transaction() as db:
            enqueue(db, type(kind), PAYLOADS[kind.name], keyring=resources.keyring, principal_id=person)

        connection.execute(text("DELETE FROM usuario WHERE id = :id"), {"id": person})

        assert resources.jobs.run_due() == 0
        assert connection.scalar(text("SELECT count(*) FROM trabajo")) == 0
