"""What kind of file something is, by its bytes."""

from __future__ import annotations

import pytest

from maverik_backend.core.documents.limits import MAX_BYTES
from maverik_backend.core.documents.refusals import DocumentRefused, Refusal
from maverik_backend.core.documents.sniffing import MediaType, media_type_of
from maverik_backend.texts import documents as texts


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.4\n...", MediaType.PDF),
        (b"\n\nbasura %PDF-1.4\n...", MediaType.PDF),
        (b"<!DOCTYPE html><p>hola", MediaType.HTML),
        (b"\xef\xbb\xbf<html lang=es><body>hola", MediaType.HTML),
        (b"# Titulo\n\nTexto", MediaType.MARKDOWN),
        (b"Texto llano, con 2 < 3.", MediaType.TEXT),
        ("Inversión en ñandúes".encode("cp1252"), MediaType.TEXT),
        ("Inversión".encode("utf-16"), MediaType.TEXT),
    ],
)
def test_the_bytes_say_what_it_is(content: bytes, media_type: MediaType) -> None:
    assert media_type_of(content) is media_type


def test_a_name_or_a_declaration_tells_kinds_of_text_apart() -> None:
    assert media_type_of(b"Texto", file_name="LEEME.MD") is MediaType.MARKDOWN
    assert media_type_of(b"<p>Texto</p>", declared="text/html") is MediaType.HTML
    assert media_type_of(b"%PDF-1.4", file_name="x.txt", declared="text/plain") is MediaType.PDF


@pytest.mark.parametrize(
    ("content", "file_name", "refusal"),
    [
        (b"", "", Refusal.EMPTY),
        (b" \n\t ", "", Refusal.EMPTY),
        (b"PK\x03\x04 un zip", "informe.pdf", Refusal.NOT_PDF),
        (b"hola", "informe.PDF", Refusal.NOT_PDF),
        (b"PK\x03\x04\x14\x00 un docx", "informe.docx", Refusal.NOT_TEXT),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "foto.png", Refusal.NOT_TEXT),
        (b"un texto con \x00 adentro", "nota.txt", Refusal.NOT_TEXT),
        (b"x" * (MAX_BYTES + 1), "", Refusal.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, file_name: str, refusal: Refusal) -> None:
    with pytest.raises(DocumentRefused) as refused:
        media_type_of(content, file_name=file_name)

    assert refused.value.refusal is refusal


def test_every_refusal_has_its_sentence() -> None:
    assert set(texts.REFUSALS) == set(Refusal)
