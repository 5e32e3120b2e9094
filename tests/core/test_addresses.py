"""Two spellings of one mailbox are one address."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core.addresses import Unmailable, accepted, canonical, mailable, mailbox_of


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


class TestMailable:
    @pytest.mark.parametrize(
        ("address", "written"),
        [
            ("ana@example.com", "ana@example.com"),
            ("Ana@example.com", "Ana@example.com"),
            ("ana@müller.com", "ana@xn--mller-kva.com"),
            ("ñandú@example.com", "ñandú@example.com"),
            ("ñandú@müller.com", "ñandú@xn--mller-kva.com"),
            ("a?b=c@example.com", "a?b=c@example.com"),
        ],
    )
    def test_the_local_part_stays_and_the_domain_is_ascii(self, address: str, written: str) -> None:
        assert mailable(address) == written

    @pytest.mark.parametrize(
        ("address", "reason"),
        [
            ("=?utf-8?q?m=40ev.co=3c?=z@corp.example", "encoded word in the local part"),
            ("a=?b@corp.example", "encoded word in the local part"),
            ("a?=b@corp.example", "encoded word in the local part"),
            ("m%ev.co@corp.example", "percent sign in the local part"),
            ("ev.co!m@corp.example", "bang path in the local part"),
            ("o\ufb03ce@corp.example", "compatibility characters in the local part"),
            ("n\u0303andu@corp.example", "compatibility characters in the local part"),
            ('"m@ev.co"@corp.example', "no address"),
            ("Ana <ana@corp.example>", "no address"),
            (" ana@corp.example", "no address"),
            ("ana@corp.example\r\n", "no address"),
            ("ana", "no address"),
            ("", "no address"),
        ],
    )
    def test_the_reason_of_a_refusal_quotes_nothing(self, address: str, reason: str) -> None:
        with pytest.raises(Unmailable) as caught:
            mailable(address)
        assert str(caught.value) == reason

    @given(st.emails())
    def test_what_an_account_may_have_is_mailed_to_as_it_is_stored(self, address: str) -> None:
        try:
            stored = accepted(address)
        except Unmailable:
            return
        assert mailable(stored).rpartition("@")[0] == stored.rpartition("@")[0]
        assert canonical(mailable(stored)) == stored


class TestMailboxOf:
    @pytest.mark.parametrize(
        ("address", "mailbox"),
        [
            ("ana@example.com", "ana@example.com"),
            ("Ana+maverik@Example.com", "ana@example.com"),
            ("ana+a+b@example.com", "ana@example.com"),
            ("ana.maria@example.com", "ana.maria@example.com"),
            ("ana-maria@example.com", "ana-maria@example.com"),
            ("ana@xn--mller-kva.com", "ana@müller.com"),
            ("+ana@example.com", "+ana@example.com"),
            ("A.na+x@gmail.com", "ana@gmail.com"),
            ("a.n.a@GoogleMail.com", "ana@gmail.com"),
            ("ana@me.com", "ana@icloud.com"),
            ("a_n-a.x+y@proton.me", "anax@proton.me"),
            ("ana@pm.me", "ana@proton.me"),
            ("ana-tienda@yahoo.com.ar", "ana@yahoo.com.ar"),
            ("tienda@ana.fastmail.com", "ana@fastmail.com"),
            ("ana@ya.ru", "ana@yandex.ru"),
            ("ana+x@hotmail.com", "ana@hotmail.com"),
            ("no es un correo", "@no es un correo"),
        ],
    )
    def test_tags_dots_and_aliases_are_one_mailbox(self, address: str, mailbox: str) -> None:
        assert mailbox_of(address) == mailbox

    @given(st.emails())
    def test_a_mailbox_is_its_own(self, address: str) -> None:
        assert mailbox_of(mailbox_of(address)) == mailbox_of(address)
