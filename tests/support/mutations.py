"""What can be done to a token on its way."""

from __future__ import annotations

import base64
from collections.abc import Callable

from hypothesis import strategies as st

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Mutation = Callable[[str], str]


def mutations() -> st.SearchStrategy[Mutation]:
    """Anything done to its characters, or to the bytes that they stand for."""
    return _cut_or_insert() | _flip_bits()


@st.composite
def _cut_or_insert(draw: st.DrawFn) -> Mutation:
    """Cut, insert, replace, double or swap a piece at any place."""
    start = draw(st.integers(min_value=0, max_value=600))
    length = draw(st.integers(min_value=0, max_value=8))
    piece = draw(st.text(alphabet=st.sampled_from(BASE64URL + ".=+/ \n\x00ñ😀"), max_size=6) | st.text(max_size=4))
    times = draw(st.sampled_from([0, 1, 1, 1, 2]))

    def mutate(token: str) -> str:
        place = start % (len(token) + 1)
        return token[:place] + token[place : place + length] * times + piece + token[place + length :]

    return mutate


@st.composite
def _flip_bits(draw: st.DrawFn) -> Mutation:
    """Other bits of the body or the footer, spelled as canonically as before."""
    segment = draw(st.sampled_from([2, 2, 3]))
    place = draw(st.integers(min_value=0, max_value=600))
    bits = draw(st.integers(min_value=1, max_value=255))

    def mutate(token: str) -> str:
        segments = token.split(".")
        raw = bytearray(base64.urlsafe_b64decode(segments[segment] + "=" * (-len(segments[segment]) % 4)))
        raw[place % len(raw)] ^= bits
        segments[segment] = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
        return ".".join(segments)

    return mutate
