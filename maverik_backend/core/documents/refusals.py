"""Why a document is refused; ``texts/documents.py`` has a sentence for each."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """What is wrong with a file."""

    EMPTY = "empty"
    NOT_TEXT = "not_text"
    NOT_PDF = "not_pdf"
    TOO_LARGE = "too_large"
    ENCRYPTED = "encrypted"
    NO_TEXT = "no_text"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_MUCH_TEXT = "too_much_text"
    TOO_MUCH_WORK = "too_much_work"
    UNREADABLE = "unreadable"


class DocumentRefused(Exception):
    """The document cannot be read, now or later."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.value)
