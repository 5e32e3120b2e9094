"""Documents through the API: uploaded, read by a job, listed, deleted, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.errors import TooManyAtOnce
from maverik_backend.services.limits import Share
from maverik_backend.texts import documents as texts
from maverik_backend.texts import problems
from maverik_backend.web import uploads
from maverik_backend.web.resources import Resources
from tests.support import pdf
from tests.support.answers import fields_refused
from tests.support.fixtures.people import MakeUser, TestUser

NOTE = "El ñandú patagónico empolla durante cuarenta días.".encode()


def upload(user: TestUser, content: bytes | Iterator[bytes], *, type: str = "text/plain", **query: str) -> Any:  # noqa: A002
    return user.request("POST", "/documents", content=content, params=query, headers={"Content-Type": type})


class TestUploading:
    def test_it_is_accepted_and_read_by_a_job(self, user: TestUser, resources: Resources) -> None:
        accepted = upload(user, NOTE, titulo="Aves")
        assert accepted.status_code == 202
        assert (accepted.json()["estado"], accepted.json()["titulo"]) == ("pendiente", "Aves")

        resources.jobs.run_due()

        shown = user.get(f"/documents/{accepted.json()['id']}").json()
        assert (shown["estado"], shown["pasajes"], shown["tipo"], shown["tamano"]) == (
            "listo",
            1,
            "text/plain",
            len(NOTE),
        )

    def test_a_pdf_says_how_many_pages_were_read(self, user: TestUser, resources: Resources) -> None:
        document = upload(user, pdf.make_pdf("Una hoja con texto.", "Otra hoja más."), type="application/pdf").json()
        resources.jobs.run_due()

        shown = user.get(f"/documents/{document['id']}").json()
        assert (shown["paginas"], shown["paginas_hechas"], shown["tipo"]) == (2, 2, "application/pdf")

    def test_what_cannot_be_read_says_why(self, user: TestUser, resources: Resources) -> None:
        document = upload(user, pdf.encrypted(pdf.make_pdf("hola")), type="application/pdf").json()
        resources.jobs.run_due()

        shown = user.get(f"/documents/{document['id']}").json()
        assert (shown["estado"], shown["error"]) == ("error", texts.REFUSALS["encrypted"])

    @pytest.mark.parametrize(
        ("content", "query", "sentence"),
        [
            (b"", {}, "empty"),
            (b"a\x00b", {}, "not_text"),
            (b"PK\x03\x04", {"archivo": "informe.pdf"}, "not_pdf"),
        ],
    )
    def test_what_is_no_document_is_refused_with_a_sentence(
        self, user: TestUser, content: bytes, query: dict[str, str], sentence: str
    ) -> None:
        response = upload(user, content, **query)

        assert response.status_code == 422
        assert fields_refused(response)["archivo"]["mensaje"] == texts.REFUSALS[sentence]

    def test_a_form_is_refused_with_a_sentence(self, user: TestUser) -> None:
        response = user.request("POST", "/documents", files={"archivo": ("a.txt", NOTE)})

        assert fields_refused(response)["archivo"]["mensaje"] == texts.NO_FORM

    @pytest.mark.parametrize("is_declared", [True, False])
    def test_30_mb_are_too_large(self, user: TestUser, connection: Connection, *, is_declared: bool) -> None:
        pieces = (b"x" * 1024 * 1024 for _ in range(30))
        response = upload(user, b"".join(pieces) if is_declared else pieces)

        assert (response.status_code, response.json()["detail"]) == (413, problems.TOO_LARGE.detail)
        assert connection.scalar(text("SELECT count(*) FROM documento_archivo")) == 0

    def test_other_routes_still_take_no_large_body(self, user: TestUser) -> None:
        assert user.request("POST", "/documents/7", content=b"x" * 200_000).status_code == 413

    def test_the_name_of_the_file_is_the_title_of_one_without(self, user: TestUser) -> None:
        assert upload(user, NOTE, archivo="C:/x/Guía de aves.txt").json()["titulo"] == "Guía de aves"
        assert upload(user, NOTE + b".").json()["titulo"] == texts.UNTITLED

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"coleccion": "Mis Documentos"}, "coleccion"),
            ({"coleccion": "a" * 65}, "coleccion"),
            ({"titulo": " "}, "titulo"),
            ({"titulo": "x" * 201}, "titulo"),
            ({"titulo": "a\u202eb"}, "titulo"),
            ({"archivo": "x" * 256}, "archivo"),
        ],
    )
    def test_names_are_bounded(self, user: TestUser, query: dict[str, str], field: str) -> None:
        assert set(fields_refused(upload(user, NOTE, **query))) == {field}

    def test_the_same_file_is_the_same_document(self, user: TestUser) -> None:
        first, second = upload(user, NOTE).json(), upload(user, NOTE).json()

        assert first["id"] == second["id"]
        assert upload(user, NOTE, coleccion="otra").json()["id"] != first["id"]

    def test_so_many_may_be_sent_at_once(self, user: TestUser, resources: Resources) -> None:
        principal = resources.tokens.read_access(user.token).principal
        share = Share.of_principal(principal, limit=uploads.MAX_PER_PRINCIPAL, refusal=TooManyAtOnce)
        with resources.uploads.slot(share), resources.uploads.slot(share):
            assert upload(user, NOTE).status_code == 429
        assert upload(user, NOTE).status_code == 202

    def test_no_body_is_read_of_a_login_that_is_closed(self, user: TestUser, connection: Connection) -> None:
        user.post("/user/logout")

        assert upload(user, b"x" * 1_000_000).status_code == 401
        assert connection.scalar(text("SELECT count(*) FROM documento_archivo")) == 0


class TestReading:
    def test_own_documents_are_listed_newest_first(self, user: TestUser) -> None:
        ids = [upload(user, f"Documento número {number}.".encode()).json()["id"] for number in range(3)]

        page = user.get("/documents?limit=2").json()
        assert [one["id"] for one in page["documentos"]] == ids[:0:-1]
        rest = user.get(f"/documents?limit=2&before={page['siguiente']}").json()
        assert ([one["id"] for one in rest["documentos"]], rest["siguiente"]) == (ids[:1], None)

    def test_the_shipped_articles_are_a_collection_to_read(self, user: TestUser) -> None:
        upload(user, NOTE)

        own, shared = user.get("/collections").json()
        assert own == {"coleccion": "documentos", "nombre": texts.OWN_COLLECTION, "propia": True, "documentos": 1}
        assert (shared["coleccion"], shared["propia"], shared["documentos"]) == ("articulos", False, 78)
        articles = user.get("/documents?coleccion=articulos").json()["documentos"]
        assert len(articles) == 20

    def test_they_cannot_be_deleted(self, user: TestUser) -> None:
        article = user.get("/documents?coleccion=articulos&limit=1").json()["documentos"][0]

        response = user.delete(f"/documents/{article['id']}")
        assert (response.status_code, response.json()["detail"]) == (403, problems.READ_ONLY.detail)

    def test_a_deleted_one_is_gone(self, user: TestUser) -> None:
        document = upload(user, NOTE).json()

        assert user.delete(f"/documents/{document['id']}").status_code == 204
        assert user.get(f"/documents/{document['id']}").status_code == 404
        assert user.get("/documents").json()["documentos"] == []


class TestOthers:
    def test_another_persons_document_is_the_same_404_as_none(self, user: TestUser, make_user: MakeUser) -> None:
        document = upload(make_user(), NOTE).json()

        for call in (user.get, user.delete):
            foreign, none = call(f"/documents/{document['id']}"), call(f"/documents/{2**60}")
            assert foreign.status_code == none.status_code == 404
            assert foreign.json() == none.json()

    def test_their_collections_are_not_seen(self, user: TestUser, make_user: MakeUser) -> None:
        upload(make_user(), NOTE, coleccion="ajena")

        assert [one["coleccion"] for one in user.get("/collections").json()] == ["articulos"]
        assert user.get("/documents?coleccion=ajena").json()["documentos"] == []

    def test_the_same_file_of_two_persons_is_two_documents(self, user: TestUser, make_user: MakeUser) -> None:
        assert upload(user, NOTE).json()["id"] != upload(make_user(), NOTE).json()["id"]


class TestAccount:
    def test_documents_are_in_the_export_and_go_with_the_account(
        self, user: TestUser, resources: Resources, connection: Connection
    ) -> None:
        upload(user, NOTE, titulo="Aves")
        resources.jobs.run_due()

        exported = user.get("/user/me/export").json()
        assert [one["titulo"] for one in exported["documento"]] == ["Aves"]
        assert [one["texto"] for one in exported["documento_pasaje"]] == [NOTE.decode()]
        assert user.delete("/user/me", {"clave": user.key}).status_code == 204
        assert connection.scalar(text("SELECT count(*) FROM documento WHERE referencia IS NULL")) == 0

    def test_one_that_is_erased_meanwhile_is_not_read(self, user: TestUser, resources: Resources) -> None:
        upload(user, NOTE)
        user.delete("/user/me", {"clave": user.key})

        resources.jobs.run_due()


def test_no_login_no_document(api: TestClient) -> None:
    assert api.post("/documents", content=NOTE).status_code == 401
