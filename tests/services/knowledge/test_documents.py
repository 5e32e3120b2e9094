"""Documents of people, assistants and operators: added, read by the real job runner, found, removed."""

from __future__ import annotations

import sys

import pytest
from sqlalchemy import Connection, text

from maverik_backend.advisor.articles import Article, read_articles
from maverik_backend.core.database import Database
from maverik_backend.errors import InvalidInput, NotFound, ReadOnly, TooManyDocuments
from maverik_backend.models import DocumentState
from maverik_backend.services import knowledge
from maverik_backend.services.knowledge import SHARED, DocumentSearch, IngestionJob, Owner, Scope, documents
from maverik_backend.texts import documents as texts
from maverik_backend.web.resources import Resources
from tests.support import pdf
from tests.support.knowledge import add, add_person, find, state_of

TEXT = "# Ñandúes\n\nEl ñandú patagónico empolla durante cuarenta días.\n\n## Alimentación\n\nCome pastos y semillas."


class Library:
    """What one person does with documents."""

    def __init__(self, resources: Resources, connection: Connection, email: str) -> None:
        self.person = add_person(connection, email)
        self.scope = Scope(principal_id=self.person)
        self._resources = resources
        self._database = resources.database

    def add(self, content: bytes | str, **options: str) -> knowledge.Document:
        owner = Owner(principal_id=self.person)
        return add(self._database, content, keyring=self._resources.keyring, owner=owner, **options)

    def read(self, content: bytes | str, **options: str) -> knowledge.Document:
        """The document once the jobs have run."""
        document = self.add(content, **options)
        self._resources.jobs.run_due()
        return state_of(self._database, document, self.scope)

    def find(self, question: str) -> list[knowledge.FoundPassage]:
        return find(self._resources.documents, question, self.scope)

    def titles(self) -> list[str]:
        with self._database.transaction() as db:
            page, _ = knowledge.get_documents(
                db, scope=Scope(principal_id=self.person, slugs=("documentos",)), limit=50
            )
        return [document.title for document in page]


@pytest.fixture
def ana(resources: Resources, connection: Connection) -> Library:
    return Library(resources, connection, "ana@example.com")


@pytest.fixture
def bob(resources: Resources, connection: Connection) -> Library:
    return Library(resources, connection, "bob@example.com")


def count(connection: Connection, table: str) -> int:
    return connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 - a table of ours


class TestAdding:
    def test_it_waits_until_a_job_has_read_it(self, ana: Library) -> None:
        document = ana.add(TEXT, title="Aves")

        assert (document.title, document.media_type, document.state) == ("Aves", "text/markdown", DocumentState.PENDING)
        assert document.collection == "documentos"

    def test_then_it_is_found_with_headings(self, ana: Library) -> None:
        assert ana.read(TEXT).state is DocumentState.READY

        found = ana.find("¿cuánto empolla un nandu PATAGÓNICO?")[0]
        assert found.headings == ("Ñandúes",)
        assert found.text == "El ñandú patagónico empolla durante cuarenta días."

    def test_a_pdf_is_found_with_its_page(self, ana: Library) -> None:
        document = ana.read(pdf.make_pdf("Primera hoja del prospecto.", "El zorzal canta de madrugada."))

        assert (document.pages, document.pages_done, document.state) == (2, 2, DocumentState.READY)
        found = ana.find("zorzal")[0]
        assert (found.document_id, found.first_page, found.last_page) == (document.id, 1, 2)

    def test_the_file_is_not_kept_once_it_is_read(self, ana: Library, connection: Connection) -> None:
        ana.read(TEXT)

        assert count(connection, "documento_archivo") == 0

    def test_the_same_bytes_are_one_document(self, ana: Library, connection: Connection) -> None:
        first = ana.read(TEXT, title="Uno")

        assert ana.add(TEXT, title="Dos").id == first.id
        assert count(connection, "trabajo") == 1

    def test_what_could_not_be_read_is_read_again_when_it_comes_again(
        self, ana: Library, connection: Connection
    ) -> None:
        refused = ana.read(pdf.image_only())

        again = ana.add(pdf.image_only())
        assert (again.id, again.state, again.error) == (refused.id, DocumentState.PENDING, None)
        assert count(connection, "documento_archivo") == 1

    @pytest.mark.parametrize(
        ("content", "options", "sentence"),
        [
            (b"PK\x03\x04", {"file_name": "informe.pdf"}, "not_pdf"),
            (b"con \x00 adentro", {}, "not_text"),
            (b"  ", {}, "empty"),
            (b"x" * (30 * 1024 * 1024), {}, "too_large"),
        ],
        ids=["no PDF", "NUL", "empty", "30 MB"],
    )
    def test_what_is_no_document_is_refused_at_once(
        self, ana: Library, connection: Connection, content: bytes, options: dict[str, str], sentence: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            ana.add(content, **options)

        assert [(field.field, field.message) for field in refused.value.fields] == [
            ("archivo", texts.REFUSALS[sentence])
        ]
        assert count(connection, "trabajo") == 0

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (pdf.encrypted(pdf.make_pdf("hola")), "encrypted"),
            (pdf.image_only(), "no_text"),
            (pdf.empty_pages(10_000), "too_many_pages"),
            (b"%PDF-1.7 nada", "unreadable"),
        ],
        ids=["encrypted", "scanned", "10,000 pages", "damaged"],
    )
    def test_what_cannot_be_read_says_so_in_a_sentence_and_the_job_is_done(
        self, ana: Library, connection: Connection, content: bytes, sentence: str
    ) -> None:
        document = ana.read(content)

        assert (document.state, document.error) == (DocumentState.FAILED, texts.REFUSALS[sentence])
        assert connection.scalar(text("SELECT estado FROM trabajo")) == "hecho"
        assert count(connection, "documento_archivo") == 0

    def test_a_defect_is_tried_again_and_told_at_last(
        self, ana: Library, resources: Resources, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        document = ana.add(TEXT)
        for _ in range(len(IngestionJob.retry_delays) + 1):
            assert state_of(resources.database, document, ana.scope).error is None
            resources.jobs.run_due()
            connection.execute(text("UPDATE trabajo SET proximo_intento = now()"))

        assert state_of(resources.database, document, ana.scope).error == texts.FAILED
        assert connection.scalar(text("SELECT estado FROM trabajo")) == "fallido"

    def test_a_repeated_attempt_stores_the_passages_once(
        self, ana: Library, resources: Resources, connection: Connection
    ) -> None:
        document = ana.add(TEXT)
        connection.execute(text("UPDATE documento SET estado = 'procesando'"))  # an earlier attempt, cut off
        resources.jobs.run_due()
        connection.execute(
            text(
                "UPDATE trabajo SET estado = 'pendiente', fecha_fin = NULL, carga = :payload, proximo_intento = now()"
            ),
            {"payload": f'{{"document_id": {document.id}}}'},
        )
        resources.jobs.run_due()

        found = connection.scalar(
            text("SELECT count(*) FROM documento_pasaje WHERE documento_id = :id"), {"id": document.id}
        )
        assert found == 2

    def test_one_that_was_removed_meanwhile_is_not_read(
        self, ana: Library, resources: Resources, connection: Connection
    ) -> None:
        ana.add(TEXT)
        connection.execute(text("DELETE FROM documento WHERE referencia IS NULL"))

        assert resources.jobs.run_due() == 1

    def test_there_is_a_largest_number_of_them(self, ana: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents, "MAX_DOCUMENTS", 1)
        ana.add("Uno entero.")

        with pytest.raises(TooManyDocuments):
            ana.add("Otro más.")

    def test_and_of_collections(self, ana: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents, "MAX_COLLECTIONS", 1)
        ana.add("Uno entero.", slug="una")

        with pytest.raises(TooManyDocuments):
            ana.add("Otro más.", slug="otra")


class TestWhose:
    def test_nobody_else_finds_it(self, ana: Library, bob: Library) -> None:
        ana.read(TEXT)

        assert ana.find("ñandú")
        assert [found.title for found in bob.find("ñandú")] == []

    def test_another_persons_document_is_the_same_as_none(self, ana: Library, bob: Library, database: Database) -> None:
        document = ana.read(TEXT)

        for document_id in (document.id, 2**60):
            with pytest.raises(NotFound), database.transaction() as db:
                knowledge.get_document(db, scope=bob.scope, document_id=document_id)
            with pytest.raises(NotFound), database.transaction() as db:
                knowledge.remove_document(db, principal_id=bob.person, document_id=document_id)
        assert ana.titles()
        assert bob.titles() == []

    def test_an_assistants_collection_is_found_by_it_alone(
        self, ana: Library, resources: Resources, database: Database
    ) -> None:
        add(database, TEXT, keyring=resources.keyring, owner=Owner(assistant="fauna"), slug="guias")
        resources.jobs.run_due()

        assert find(resources.documents, "ñandú", Scope(principal_id=ana.person, assistant="fauna"))
        assert find(resources.documents, "ñandú", Scope(assistant="otro")) == []
        assert find(resources.documents, "ñandú", Scope(assistant="fauna", slugs=("articulos",))) == []

    def test_erasing_a_person_erases_their_documents(
        self, ana: Library, connection: Connection, resources: Resources
    ) -> None:
        ana.read(TEXT)
        before = count(connection, "documento_pasaje")

        connection.execute(text("DELETE FROM usuario WHERE id = :id"), {"id": ana.person})

        assert count(connection, "documento_pasaje") == before - 2
        assert find(resources.documents, "ñandú", ana.scope) == []


class TestRemoving:
    def test_its_passages_go_with_it(self, ana: Library, database: Database, connection: Connection) -> None:
        document = ana.read(TEXT)
        before = count(connection, "documento_pasaje")

        with database.transaction() as db:
            knowledge.remove_document(db, principal_id=ana.person, document_id=document.id)

        assert count(connection, "documento_pasaje") == before - 2
        assert ana.find("ñandú") == []

    def test_an_operator_removes_from_a_collection_that_is_shared(
        self, resources: Resources, database: Database
    ) -> None:
        document = add(database, TEXT, keyring=resources.keyring, owner=SHARED, slug="guias")
        with database.transaction() as db:
            assert knowledge.remove_owned(db, owner=SHARED, slug="guias", document_ids=(document.id, 2**60)) == (
                document.id,
            )
            assert knowledge.get_owned(db, owner=SHARED, slug="guias") == []


class TestShippedArticles:
    def test_they_are_the_first_collection(self, ana: Library, database: Database) -> None:
        with database.transaction() as db:
            (collection,) = knowledge.get_collections(db, scope=ana.scope)

        assert (collection.slug, collection.is_shipped, collection.documents) == (
            "articulos",
            True,
            len(read_articles()),
        )

    def test_they_are_found_by_the_slug_of_the_article(self, ana: Library) -> None:
        assert "plazo-fijo" in {found.reference for found in ana.find("¿Qué es un plazo fijo?")}

    def test_they_cannot_be_changed(self, ana: Library, database: Database, resources: Resources) -> None:
        with pytest.raises(ReadOnly):
            add(database, TEXT, keyring=resources.keyring, owner=SHARED, slug="articulos")
        with database.transaction() as db:
            page, _ = knowledge.get_documents(db, scope=ana.scope, limit=1)
        with pytest.raises(ReadOnly), database.transaction() as db:
            knowledge.remove_document(db, principal_id=ana.person, document_id=page[0].id)

    def test_a_changed_article_replaces_the_collection(self, ana: Library, database: Database) -> None:
        article = Article(slug="bono", title="Bono", topics="bono", passages=("Un bono es deuda.",))
        with database.transaction() as db:
            assert knowledge.sync(db, articles=[article]) is True
            assert knowledge.sync(db, articles=[article]) is False

        assert {found.reference for found in ana.find("bono de deuda")} == {"bono"}


class TestAnyQuestion:
    @pytest.mark.parametrize(
        "question",
        ["", "¿?", "de la el", "' & | ! ( ) : * <->", "bono:* & !x", "\\ \\' O'Higgins", "a" * 8000, "ñ" * 99],
    )
    def test_can_be_asked(self, resources: Resources, question: str) -> None:
        search: DocumentSearch = resources.documents

        assert isinstance(find(search, question, Scope()), list)

    def test_no_more_than_asked_for_are_found(self, resources: Resources) -> None:
        assert len(find(resources.documents, "ahorro inversión plata", Scope(), limit=3)) == 3
