"""Time-based codes against the vectors of RFC 6238, recovery codes, and how both are typed."""

from __future__ import annotations

import time

import pytest

from maverik_backend.core import one_time_codes

# RFC 6238, appendix B (SHA-1): the vectors have eight digits, of which six are used.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("now_s", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(now_s: int, code: str) -> None:
    assert one_time_codes.step_of(SECRET, code[-6:], now_s=now_s) == now_s // 30


@pytest.mark.parametrize(("seconds_late", "is_taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clocks_may_be_one_step_apart(seconds_late: int, is_taken: bool) -> None:  # noqa: FBT001 - a parameter
    now_s, code = VECTORS[3]

    step = one_time_codes.step_of(SECRET, code[-6:], now_s=now_s + seconds_late)

    assert step == (now_s // 30 if is_taken else None)


def test_secrets_are_random_and_of_160_bits() -> None:
    secrets = {one_time_codes.generate_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(secret) * 5 for secret in secrets} == {160}


def test_recovery_codes_have_120_bits_and_are_recognised_as_they_are_shown() -> None:
    codes = one_time_codes.generate_recovery_codes()

    assert len(set(codes)) == one_time_codes.RECOVERY_CODES
    normalised = [one_time_codes.normalise(code) for code in codes]
    assert {len(code) * 5 for code in normalised} == {120}
    assert all(one_time_codes.is_recovery_code(code) for code in normalised)
    assert not any(one_time_codes.is_totp(code) for code in normalised)


def test_a_digest_is_of_the_code_however_it_is_typed() -> None:
    code = one_time_codes.generate_recovery_codes()[0]

    assert one_time_codes.digest(code) == one_time_codes.digest(one_time_codes.normalise(code.upper()))
    assert len(one_time_codes.digest(code)) == 32


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "\u0661" * 6, "\uff11" * 6, "\u00b2" * 6, "123456\n"]
)
def test_only_six_ascii_digits_are_of_an_app(code: str) -> None:
    assert not one_time_codes.is_totp(code)


@pytest.mark.parametrize("code", ["", "a" * 23, "a" * 25, "A" * 24, "1" * 24, "\u0430" * 24])
def test_only_24_characters_of_base32_are_for_recovery(code: str) -> None:
    assert not one_time_codes.is_recovery_code(code)


def test_what_may_be_typed_costs_little() -> None:
    began = time.process_time()

    for typed in ("-" * one_time_codes.MAX_TYPED_CHARS, " -" * 32, "\u0301" * 64, "1" * 64):
        for _ in range(1000):
            one_time_codes.normalise(typed)

    assert time.process_time() - began < 1.0
