"""Search by meaning: vectors made by a job, joined with words, made anew when the model changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from maverik_backend.clients.embeddings.base import Embedder
from maverik_backend.core.database import Database
from maverik_backend.core.metrics import Metrics
from maverik_backend.services import knowledge
from maverik_backend.services.jobs import JobRunner
from maverik_backend.services.knowledge import DocumentSearch, EmbeddingJob, IngestionJob, Owner, Scope
from maverik_backend.services.knowledge.search import fuse
from maverik_backend.web.resources import Resources
from tests.support.embeddings import make_embedder, running
from tests.support.knowledge import add, add_person, find, state_of
from tests.support.servers import Reply, ScriptedServer

GUIDE = "# Vehículo\n\nEl seguro del vehículo se paga cada mes.\n\n# Vivienda\n\nLa escritura de la vivienda se firma."


class Library:
    """Documents with an embeddings provider, and the jobs that read and embed them."""

    def __init__(self, resources: Resources, server: ScriptedServer, embedder: Embedder, person: int) -> None:
        self.server = server
        self.scope = Scope(principal_id=person)
        self._owner = Owner(principal_id=person)
        self._resources = resources
        self.use(embedder)

    def use(self, embedder: Embedder) -> None:
        """From now on, as a process that was started with this model."""
        transaction, keyring = self._resources.database.transaction, self._resources.keyring
        kinds = (
            IngestionJob(
                transaction=transaction,
                after_stored=lambda db: knowledge.request_vectors(db, model=embedder.name, keyring=keyring),
            ),
            EmbeddingJob(transaction=transaction, embedder=embedder, keyring=keyring),
        )
        self.embedder = embedder
        self.jobs = JobRunner(transaction=transaction, kinds=kinds, keyring=keyring, metrics=Metrics())
        self.search = DocumentSearch(transaction, embedder=embedder)

    def read(self, content: str, *, owner: Owner | None = None) -> knowledge.Document:
        document = add(self._resources.database, content, keyring=self._resources.keyring, owner=owner or self._owner)
        self.jobs.run_due()
        return document

    def start(self) -> bool:
        """What a process does at its start."""
        with self._resources.database.transaction() as db:
            return knowledge.request_missing_vectors(db, embedder=self.embedder, keyring=self._resources.keyring)


@pytest.fixture
def library(resources: Resources, connection: Connection) -> Iterator[Library]:
    connection.execute(text("DELETE FROM coleccion"))  # the articles: their vectors are another test's
    with running() as (server, embedder):
        yield Library(resources, server, embedder, add_person(connection, "ana@example.com"))


def vectors(connection: Connection) -> list[tuple[str, int]]:
    """Models with the number of vectors that they made."""
    query = "SELECT m.nombre, count(*) FROM pasaje_vector v JOIN modelo_vectores m ON m.id = v.modelo_id GROUP BY 1"
    return [(name, count) for name, count in connection.execute(text(query))]


def test_a_document_is_found_by_words_and_then_by_meaning(library: Library, connection: Connection) -> None:
    library.read(GUIDE)

    assert vectors(connection) == [("openai:prueba", 2)]
    assert find(library.search, "¿qué pasa con el auto?", library.scope)[0].headings == ("Vehículo",)


def test_headings_and_title_are_part_of_the_meaning(library: Library) -> None:
    library.read("# Mascotas\n\nSe vacunan una vez por año.\n\n# Otros\n\nSe revisan dos veces por año.")

    (sent,) = library.server.requests
    assert "Un documento\nMascotas\nSe vacunan" in sent.json["input"][0]


def test_a_shared_collection_is_found_through_its_index(library: Library, connection: Connection) -> None:
    library.read(GUIDE, owner=Owner())

    assert find(library.search, "la casa", Scope())[0].headings == ("Vivienda",)
    (definition,) = connection.scalars(
        text("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'ix_pasaje_vector_hnsw_%'")
    )
    assert "hnsw" in definition
    assert "es_compartido" in definition


def test_another_persons_vectors_are_not_looked_at(library: Library, connection: Connection) -> None:
    library.read(GUIDE)
    other = Scope(principal_id=add_person(connection, "bob@example.com"))

    assert find(library.search, "el auto y la casa", other) == []


def test_a_provider_that_fails_leaves_the_search_by_words(library: Library) -> None:
    library.read(GUIDE)
    library.server.default = lambda _: Reply(status=500)

    assert find(library.search, "seguro del vehículo", library.scope)[0].headings == ("Vehículo",)


def test_a_provider_that_fails_leaves_the_document_ready_and_the_job_to_be_retried(
    library: Library, connection: Connection, database: Database
) -> None:
    library.server.default = lambda _: Reply(status=401)
    document = library.read(GUIDE)

    assert state_of(database, document, library.scope).state == "listo"
    waits = text("SELECT estado, error FROM trabajo WHERE tipo = 'vectores'")
    assert connection.execute(waits).all() == [("pendiente", "wrong_key (status 401)")]


def test_removing_a_document_removes_its_vectors(library: Library, connection: Connection, database: Database) -> None:
    document = library.read(GUIDE)
    with database.transaction() as db:
        knowledge.remove_document(db, principal_id=library.scope.principal_id or 0, document_id=document.id)

    assert vectors(connection) == []


def test_a_model_keeps_its_number_however_many_batches_it_makes(library: Library, connection: Connection) -> None:
    for number in range(3):
        library.read(f"Documento número {number} con texto.")

    taken = text("SELECT last_value FROM pg_sequences WHERE sequencename = 'modelo_vectores_id_seq'")
    before = connection.scalar(taken)
    library.read("Otro documento, con otro texto.")
    assert connection.scalar(taken) == before
    assert vectors(connection) == [("openai:prueba", 4)]


class TestAnotherModel:
    def test_a_start_with_it_has_all_vectors_made_anew_and_the_old_ones_removed(
        self, library: Library, connection: Connection
    ) -> None:
        library.read(GUIDE)
        library.use(make_embedder("openai", library.server.url, dimensions=256))

        assert library.start()
        assert find(library.search, "vehículo", library.scope)  # by words until then
        library.jobs.run_due()

        assert vectors(connection) == [("openai:prueba/256", 2)]
        indexes = text("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'ix_pasaje_vector_hnsw_%'")
        assert connection.scalar(indexes) == 1
        assert find(library.search, "¿qué pasa con el auto?", library.scope)[0].headings == ("Vehículo",)

    def test_a_start_with_the_same_one_has_nothing_to_do(self, library: Library) -> None:
        library.read(GUIDE)

        assert not library.start()

    def test_what_a_start_asked_for_is_not_asked_for_twice(self, library: Library) -> None:
        library.read(GUIDE)
        library.use(make_embedder("openai", library.server.url, dimensions=256))

        assert [library.start(), library.start()] == [True, False]

    def test_a_process_with_the_old_one_leaves_the_job_to_others(
        self, library: Library, connection: Connection
    ) -> None:
        library.read(GUIDE)
        old = library.embedder
        library.use(make_embedder("openai", library.server.url, dimensions=256))
        library.start()
        library.use(old)
        library.jobs.run_due()

        assert vectors(connection) == [("openai:prueba", 2)]
        assert connection.scalar(text("SELECT count(*) FROM trabajo WHERE estado = 'pendiente'")) == 1


class TestWithoutPgvector:
    @pytest.fixture(autouse=True)
    def without(self, connection: Connection) -> None:
        connection.execute(text("DROP EXTENSION vector"))

    def test_documents_are_found_by_words(self, library: Library, connection: Connection) -> None:
        library.read(GUIDE)

        assert find(library.search, "seguro del vehículo", library.scope)[0].headings == ("Vehículo",)
        assert vectors(connection) == []

    def test_a_start_says_so_and_asks_for_nothing(self, library: Library) -> None:
        library.read(GUIDE)

        assert not library.start()


class TestFusion:
    def test_a_place_counts_by_its_reciprocal(self) -> None:
        assert fuse([[7, 8], [8]]) == {7: 1 / 61, 8: 1 / 62 + 1 / 61}

    def test_what_both_lists_have_comes_before_what_one_has(self) -> None:
        scores = fuse([[1, 2, 3], [4, 3]])

        assert max(scores, key=scores.__getitem__) == 3
