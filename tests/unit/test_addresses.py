"""Two spellings of one mailbox are one address."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core.addresses import canonical


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        (" Ana@Example.COM\n", "ana@example.com"),
        ("ana@\uff25xample.com", "ana@example.com"),
        ("ana@xn--mller-kva.com", "ana@müller.com"),
        ("ana@MÜLLER.com", "ana@müller.com"),
        (unicodedata.normalize("NFD", "Ñandú@example.com"), "ñandú@example.com"),
        ("No es un Correo", "no es un correo"),
        ("ana@", "ana@"),
    ],
)
def test_it_is_written_in_one_way(spelling: str, address: str) -> None:
    assert canonical(spelling) == address


@given(st.text(max_size=60) | st.emails())
def test_writing_it_again_changes_nothing(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
