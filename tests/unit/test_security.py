"""Keys, tokens and password hashes; tokens are cross-read with a second implementation of PASETO."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import argon2
import pyseto
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from maverik_backend.core.secret_key import make_keyring
from maverik_backend.core.security import (
    ISSUER,
    KEY_BYTES,
    MAX_TOKEN_CHARS,
    AccessTokens,
    Keyring,
    PasswordHasher,
    Purpose,
    Unsealable,
    generate_paserk,
    generate_temporary_password,
)
from maverik_backend.errors import NotAuthenticated, SettingsError
from maverik_backend.settings import AppSettings, SecuritySettings, Settings

USER_ID = 42
TTL = timedelta(hours=1)
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def make_tokens(*paserks: str, ttl: timedelta = TTL) -> AccessTokens:
    return AccessTokens(Keyring(paserks), ttl=ttl)


def raw_key(paserk: str) -> bytes:
    return base64.urlsafe_b64decode(paserk.removeprefix("k4.local.") + "=")


def pyseto_key(paserk: str) -> pyseto.KeyInterface:
    return pyseto.Key.new(version=4, purpose="local", key=raw_key(paserk))


def kid_of(token: str) -> str:
    footer = token.split(".")[3]
    return str(json.loads(base64.urlsafe_b64decode(footer + "=" * (-len(footer) % 4)))["kid"])


def with_footer(token: str, footer: bytes) -> str:
    return ".".join([*token.split(".")[:3], base64.urlsafe_b64encode(footer).decode().rstrip("=")])


@pytest.fixture
def paserk() -> str:
    return generate_paserk()


@pytest.fixture
def keyring(paserk: str) -> Keyring:
    return Keyring([paserk])


@pytest.fixture
def tokens(keyring: Keyring) -> AccessTokens:
    return AccessTokens(keyring, ttl=TTL)


class TestAccessToken:
    def test_it_tells_whom_it_was_issued_to(self, tokens: AccessTokens) -> None:
        assert tokens.user_id_of(tokens.issue(user_id=USER_ID).token) == USER_ID

    def test_it_says_how_long_it_holds(self, tokens: AccessTokens) -> None:
        assert tokens.issue(user_id=USER_ID).expires_in_s == 3600

    def test_no_two_are_alike(self, tokens: AccessTokens) -> None:
        assert tokens.issue(user_id=USER_ID).token != tokens.issue(user_id=USER_ID).token

    def test_it_fits_the_limit_with_the_longest_id(self, tokens: AccessTokens) -> None:
        assert len(tokens.issue(user_id=2**63 - 1).token) < MAX_TOKEN_CHARS

    def test_it_shows_nobody_the_claims(self, tokens: AccessTokens) -> None:
        body = tokens.issue(user_id=USER_ID).token.split(".")[2]

        assert ISSUER.encode() not in base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))

    def test_an_expired_one_is_refused(self, paserk: str) -> None:
        expired = make_tokens(paserk, ttl=timedelta(seconds=-1)).issue(user_id=USER_ID)

        with pytest.raises(NotAuthenticated):
            make_tokens(paserk).user_id_of(expired.token)


class TestClaims:
    """Tokens that our own key sealed, with claims that must not hold."""

    @staticmethod
    def craft(keyring: Keyring, changes: dict[str, Any] | None = None, *, without: str | None = None) -> str:
        now = datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": "access",
            "sub": str(USER_ID),
            "jti": "an-id",
            "iat": now.isoformat(),
            "nbf": now.isoformat(),
            "exp": (now + TTL).isoformat(),
            **(changes or {}),
        }
        claims.pop(without or "", None)
        return keyring.seal(json.dumps(claims).encode(), purpose=Purpose.ACCESS_TOKEN)

    @staticmethod
    def moment(seconds: float) -> str:
        """So many seconds from now."""
        return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()

    def test_good_ones_are_accepted(self, tokens: AccessTokens, keyring: Keyring) -> None:
        assert tokens.user_id_of(self.craft(keyring)) == USER_ID

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"])
    def test_each_is_required(self, tokens: AccessTokens, keyring: Keyring, claim: str) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, without=claim))

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"])
    @pytest.mark.parametrize("value", [None, "", [], {}])
    def test_none_may_be_empty(self, tokens: AccessTokens, keyring: Keyring, claim: str, value: object) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {claim: value}))

    @pytest.mark.parametrize("issuer", ["maverik", "Maverik_Backend", ["maverik_backend"]])
    def test_another_issuer_is_refused(self, tokens: AccessTokens, keyring: Keyring, issuer: object) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {"iss": issuer}))

    @pytest.mark.parametrize("audience", ["outbox", "refresh", ["access"]])
    def test_another_audience_is_refused(self, tokens: AccessTokens, keyring: Keyring, audience: object) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {"aud": audience}))

    @pytest.mark.parametrize("claim", ["nbf", "iat"])
    def test_small_clock_differences_are_forgiven(self, tokens: AccessTokens, keyring: Keyring, claim: str) -> None:
        assert tokens.user_id_of(self.craft(keyring, {claim: self.moment(50)})) == USER_ID

    @pytest.mark.parametrize("claim", ["nbf", "iat"])
    def test_one_from_the_future_is_refused(self, tokens: AccessTokens, keyring: Keyring, claim: str) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {claim: self.moment(90)}))

    @pytest.mark.parametrize("seconds", [-1, -3600])
    def test_one_that_ended_is_refused(self, tokens: AccessTokens, keyring: Keyring, seconds: float) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {"exp": self.moment(seconds)}))

    @pytest.mark.parametrize("claim", ["nbf", "iat", "exp"])
    @pytest.mark.parametrize("value", ["2999-01-01T00:00:00", "yesterday", 4102444800, True])
    def test_a_time_without_zone_or_meaning_is_refused(
        self, tokens: AccessTokens, keyring: Keyring, claim: str, value: object
    ) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {claim: value}))

    @pytest.mark.parametrize("message", [b"", b"x", b"[]", b"null", b"1", b'"text"', b"\xff", b"[" * 2000, b"{" * 2000])
    def test_claims_that_are_no_object_are_refused(
        self, tokens: AccessTokens, keyring: Keyring, message: bytes
    ) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(keyring.seal(message, purpose=Purpose.ACCESS_TOKEN))

    def test_an_endless_subject_is_refused(self, tokens: AccessTokens, keyring: Keyring) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(self.craft(keyring, {"sub": float("inf")}))


class TestPurpose:
    def test_what_was_sealed_opens_for_the_same_purpose(self, keyring: Keyring) -> None:
        sealed = keyring.seal("¡hola!".encode(), purpose=Purpose.OUTBOX)

        assert keyring.unseal(sealed, purpose=Purpose.OUTBOX) == "¡hola!".encode()

    @pytest.mark.parametrize(("made_for", "used_for"), [(p, q) for p in Purpose for q in Purpose if p is not q])
    def test_a_token_of_another_purpose_is_refused(
        self, keyring: Keyring, made_for: Purpose, used_for: Purpose
    ) -> None:
        with pytest.raises(Unsealable):
            keyring.unseal(keyring.seal(b"text", purpose=made_for), purpose=used_for)

    def test_a_sealed_mail_is_no_access_token(self, tokens: AccessTokens, keyring: Keyring) -> None:
        access = tokens.issue(user_id=USER_ID).token
        claims = keyring.unseal(access, purpose=Purpose.ACCESS_TOKEN)

        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(keyring.seal(claims, purpose=Purpose.OUTBOX))


class TestRotation:
    def test_the_first_key_seals(self) -> None:
        new, old = generate_paserk(), generate_paserk()

        assert kid_of(make_tokens(new, old).issue(user_id=1).token) == pyseto_key(new).to_paserk_id()

    def test_every_key_opens(self) -> None:
        new, old = generate_paserk(), generate_paserk()
        token = make_tokens(old).issue(user_id=USER_ID).token

        assert make_tokens(new, old).user_id_of(token) == USER_ID

    def test_a_key_that_was_taken_out_refuses(self) -> None:
        new, old = generate_paserk(), generate_paserk()
        token = make_tokens(old).issue(user_id=USER_ID).token

        with pytest.raises(NotAuthenticated):
            make_tokens(new).user_id_of(token)

    def test_a_footer_that_names_another_known_key_is_refused(self) -> None:
        first, second = generate_paserk(), generate_paserk()
        token = make_tokens(first).issue(user_id=USER_ID).token
        footer = json.dumps({"kid": pyseto_key(second).to_paserk_id()}, separators=(",", ":")).encode()

        with pytest.raises(NotAuthenticated):
            make_tokens(first, second).user_id_of(with_footer(token, footer))


class TestEnvelope:
    """What is done to a good token before it comes back."""

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda token: token.rpartition(".")[0], id="no footer"),
            pytest.param(lambda token: token.rpartition(".")[0] + ".", id="empty footer"),
            pytest.param(lambda token: token + "A", id="junk in the footer"),
            pytest.param(lambda token: token + ".", id="an empty segment more"),
            pytest.param(lambda token: token + ".AAAA", id="a segment more"),
            pytest.param(lambda token: "." + token, id="a segment before"),
            pytest.param(lambda token: token + "=", id="padding of the footer"),
            pytest.param(lambda token: token.replace(".eyJ", "=.eyJ"), id="padding of the body"),
            pytest.param(lambda token: token.replace(".eyJ", "AAAA.eyJ"), id="junk in the body"),
            pytest.param(lambda token: token[:-1], id="one character less"),
            pytest.param(lambda token: token[:60], id="cut in the body"),
            pytest.param(lambda token: "v4.local." + "." + token.split(".")[3], id="no body"),
            pytest.param(lambda token: "v4.local.AAAA." + token.split(".")[3], id="a tiny body"),
            pytest.param(lambda token: token.replace("v4.local.", "v3.local."), id="another version"),
            pytest.param(lambda token: token.replace("v4.local.", "v4.public."), id="another kind"),
            pytest.param(lambda token: token.replace("v4.local.", "V4.LOCAL."), id="upper case"),
            pytest.param(lambda token: " " + token, id="a space before"),
            pytest.param(lambda token: token + "\n", id="a line end after"),
            pytest.param(lambda token: token[:30] + "\n" + token[30:], id="a line end inside"),
            pytest.param(lambda token: token[:30] + " " + token[30:], id="a space inside"),
            pytest.param(lambda token: token[:30] + "ñ" + token[31:], id="a letter that is not ASCII"),
            pytest.param(lambda token: token[:30] + "\ud800" + token[31:], id="half a character"),
            pytest.param(lambda token: token[:30] + "\x00" + token[31:], id="a NUL"),
            pytest.param(lambda token: token[:30] + "+/" + token[32:], id="the other base64 alphabet"),
            pytest.param(lambda token: token + "A" * MAX_TOKEN_CHARS, id="far too long"),
            pytest.param(lambda _token: "", id="empty"),
            pytest.param(lambda _token: "...", id="nothing but dots"),
            pytest.param(lambda _token: "v4.local.", id="nothing but a header"),
        ],
    )
    def test_a_token_that_was_changed_is_refused(self, tokens: AccessTokens, change: Callable[[str], str]) -> None:
        token = tokens.issue(user_id=USER_ID).token
        changed = change(token)

        assert changed != token
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(changed)

    @pytest.mark.parametrize("segment", [2, 3])
    def test_unused_bits_at_the_end_of_a_segment_must_be_zero(self, keyring: Keyring, segment: int) -> None:
        segments = keyring.seal(b"", purpose=Purpose.OUTBOX).split(".")
        good = segments[segment]
        other = good[:-1] + BASE64URL[BASE64URL.index(good[-1]) + 1]
        segments[segment] = other

        assert base64.urlsafe_b64decode(other + "==") == base64.urlsafe_b64decode(good + "==")
        with pytest.raises(Unsealable, match="encoding"):
            keyring.unseal(".".join(segments), purpose=Purpose.OUTBOX)

    @pytest.mark.parametrize(
        "footer",
        [
            b"{}",
            b"null",
            b"[]",
            b"1",
            b"not json",
            b"\xff\xfe",
            b'{"kid":null}',
            b'{"kid":[]}',
            b'{"kid":{}}',
            b'{"kid":"k4.lid.unknown"}',
            b"[" * 150,
        ],
    )
    def test_a_footer_that_names_no_known_key_is_refused(self, tokens: AccessTokens, footer: bytes) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.user_id_of(with_footer(tokens.issue(user_id=USER_ID).token, footer))

    def test_a_large_footer_is_refused_before_it_is_read(self, keyring: Keyring) -> None:
        token = keyring.seal(b"text", purpose=Purpose.OUTBOX)
        footer = json.dumps({"kid": kid_of(token), "more": "x" * 300}).encode()

        with pytest.raises(Unsealable, match="envelope"):
            keyring.unseal(with_footer(token, footer), purpose=Purpose.OUTBOX)

    def test_an_overlong_token_is_refused_even_when_it_is_genuine(self, tokens: AccessTokens, keyring: Keyring) -> None:
        with pytest.raises(NotAuthenticated, match="too long"):
            tokens.user_id_of(keyring.seal(b" " * MAX_TOKEN_CHARS, purpose=Purpose.ACCESS_TOKEN))

    def test_the_refusal_tells_nothing_about_the_token(self, tokens: AccessTokens) -> None:
        token = tokens.issue(user_id=USER_ID).token

        with pytest.raises(NotAuthenticated) as caught:
            tokens.user_id_of(token[:-1])
        assert token[:20] not in str(caught.value)
        assert caught.value.__suppress_context__


@st.composite
def _mutations(draw: st.DrawFn) -> Callable[[str], str]:
    """Cut, insert, replace, double or swap a piece at any place."""
    start = draw(st.integers(min_value=0, max_value=600))
    length = draw(st.integers(min_value=0, max_value=8))
    piece = draw(st.text(alphabet=st.sampled_from(BASE64URL + ".=+/ \n\x00ñ😀"), max_size=6) | st.text(max_size=4))
    times = draw(st.sampled_from([0, 1, 1, 1, 2]))

    def mutate(token: str) -> str:
        place = start % (len(token) + 1)
        return token[:place] + token[place : place + length] * times + piece + token[place + length :]

    return mutate


class TestAnyMutation:
    tokens = make_tokens("k4.local." + "A" * 43)

    @settings(max_examples=500, deadline=None)
    @given(_mutations())
    def test_only_not_authenticated_ever_comes_out(self, mutate: Callable[[str], str]) -> None:
        token = self.tokens.issue(user_id=USER_ID).token
        mutated = mutate(token)
        assume(mutated != token)

        with pytest.raises(NotAuthenticated):
            self.tokens.user_id_of(mutated)

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=200) | st.text(max_size=100).map("v4.local.{0}.{0}".format))
    @example("v4.local.\udfff.\udfff")
    def test_no_text_is_a_token(self, text: str) -> None:
        with pytest.raises(NotAuthenticated):
            self.tokens.user_id_of(text)


class TestAgainstPyseto:
    """The same tokens and identifiers as an implementation that shares no code with ours."""

    ASSERTION = b"maverik_backend/outbox"

    def test_it_reads_ours(self, keyring: Keyring, paserk: str) -> None:
        sealed = keyring.seal(b"text", purpose=Purpose.OUTBOX)

        read = pyseto.decode(pyseto_key(paserk), sealed, implicit_assertion=self.ASSERTION)

        assert read.payload == b"text"
        assert json.loads(read.footer if isinstance(read.footer, bytes) else b"") == {"kid": kid_of(sealed)}

    def test_we_read_its(self, keyring: Keyring, paserk: str) -> None:
        key = pyseto_key(paserk)
        footer = json.dumps({"kid": key.to_paserk_id()}).encode()
        sealed = pyseto.encode(key, b"text", footer=footer, implicit_assertion=self.ASSERTION)

        assert keyring.unseal(sealed.decode(), purpose=Purpose.OUTBOX) == b"text"

    @pytest.mark.parametrize("assertion", [b"", b"maverik_backend/access", b"maverik_backend/outbox/"])
    def test_it_cannot_read_ours_without_the_purpose(self, keyring: Keyring, paserk: str, assertion: bytes) -> None:
        sealed = keyring.seal(b"text", purpose=Purpose.OUTBOX)

        with pytest.raises(pyseto.DecryptError):
            pyseto.decode(pyseto_key(paserk), sealed, implicit_assertion=assertion)

    @pytest.mark.parametrize("assertion", [b"", b"maverik_backend/access"])
    def test_we_do_not_read_its_without_the_purpose(self, keyring: Keyring, paserk: str, assertion: bytes) -> None:
        key = pyseto_key(paserk)
        footer = json.dumps({"kid": key.to_paserk_id()}).encode()
        sealed = pyseto.encode(key, b"text", footer=footer, implicit_assertion=assertion)

        with pytest.raises(Unsealable):
            keyring.unseal(sealed.decode(), purpose=Purpose.OUTBOX)

    def test_a_key_has_the_identifier_of_the_paserk_specification(self, keyring: Keyring, paserk: str) -> None:
        assert kid_of(keyring.seal(b"", purpose=Purpose.OUTBOX)) == pyseto_key(paserk).to_paserk_id()

    def test_a_generated_key_is_a_paserk(self, paserk: str) -> None:
        assert pyseto_key(paserk).to_paserk() == paserk


class TestKeys:
    def test_a_generated_one_has_32_bytes(self, paserk: str) -> None:
        assert len(raw_key(paserk)) == KEY_BYTES

    def test_no_two_generated_ones_are_alike(self) -> None:
        assert len({generate_paserk() for _ in range(50)}) == 50

    @pytest.mark.parametrize("spelling", ["{}", "{}=", " {} "])
    def test_padding_and_blanks_around_do_not_matter(self, paserk: str, spelling: str) -> None:
        token = make_tokens(paserk).issue(user_id=USER_ID).token

        assert make_tokens(spelling.format(paserk)).user_id_of(token) == USER_ID

    @pytest.mark.parametrize(
        "value", ["", "x", "k4.local.", "k4.local.AAAA", "k4.local." + "A" * 42 + "B", "k4.local.ñ"]
    )
    def test_an_unusable_one_is_told_in_a_sentence(self, value: str) -> None:
        with pytest.raises(SettingsError, match=r"^SECRET_KEY cannot be used: .+ 32 bytes\.$"):
            Keyring([value])

    def test_one_unusable_key_among_several_is_enough(self, paserk: str) -> None:
        with pytest.raises(SettingsError):
            Keyring([paserk, "k4.local.AAAA"])

    def test_a_key_does_not_show_in_the_keyring(self, keyring: Keyring, paserk: str) -> None:
        shown = repr(vars(keyring))

        assert paserk not in shown
        assert repr(raw_key(paserk)) not in shown

    def test_a_missing_libsodium_is_told_in_a_sentence(self) -> None:
        """In a process of its own, whose dynamic linker knows no libsodium."""
        code = (
            "import ctypes.util\n"
            "ctypes.util.find_library = lambda name: None\n"
            "from maverik_backend.core.security import Keyring, generate_paserk\n"
            "from maverik_backend.errors import SettingsError\n"
            "try:\n"
            "    Keyring([generate_paserk()])\n"
            "except SettingsError as error:\n"
            "    print(*error.problems)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

        assert done.stdout.startswith("libsodium is missing: install it (Debian: apt-get install libsodium23")
        assert done.stdout.count("\n") == 1


class TestWhereKeysComeFrom:
    @staticmethod
    def settings_with(tmp_path: Path, secret_key: str | None) -> Settings:
        security = SecuritySettings.model_validate({"secret_key": secret_key})
        return Settings(app=AppSettings(local_data_dir=tmp_path / "data"), security=security)

    def test_configured_keys_are_used(self, tmp_path: Path) -> None:
        new, old = generate_paserk(), generate_paserk()
        keyring = make_keyring(self.settings_with(tmp_path, f"{new}, {old}"))
        sealed = Keyring([old]).seal(b"text", purpose=Purpose.OUTBOX)

        assert keyring.unseal(sealed, purpose=Purpose.OUTBOX) == b"text"
        assert not (tmp_path / "data").exists()

    def test_a_generated_key_survives_restarts(self, tmp_path: Path) -> None:
        sealed = make_keyring(self.settings_with(tmp_path, None)).seal(b"text", purpose=Purpose.OUTBOX)

        assert make_keyring(self.settings_with(tmp_path, None)).unseal(sealed, purpose=Purpose.OUTBOX) == b"text"

    def test_a_generated_key_is_for_its_owner_s_eyes_only(self, tmp_path: Path) -> None:
        make_keyring(self.settings_with(tmp_path, None))

        assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


class CountingArgon2(argon2.PasswordHasher):
    """Remembers with which parameters a password was hashed to compare it."""

    def __init__(self) -> None:
        super().__init__(memory_cost=8, time_cost=1, parallelism=1)
        self.work: list[argon2.Parameters] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        assert isinstance(hash, str)
        self.work.append(argon2.extract_parameters(hash))
        return super().verify(hash, password)


class TestPasswordHash:
    hasher = PasswordHasher(memory_kib=8, passes=1)

    @staticmethod
    def counting() -> tuple[PasswordHasher, CountingArgon2]:
        hasher, argon = PasswordHasher(memory_kib=8, passes=1), CountingArgon2()
        hasher._argon2 = argon  # noqa: SLF001 - the work itself is what is measured
        return hasher, argon

    @pytest.mark.parametrize("password", ["", "clave", "contraseña", "a" * 500, "😀", " espacios ", "a\x00b"])
    def test_the_same_password_matches(self, password: str) -> None:
        assert self.hasher.verify(self.hasher.hash(password), password)

    @pytest.mark.parametrize("other", ["", "Clave", "clave ", "clav", "clave\x00"])
    def test_another_one_does_not(self, other: str) -> None:
        assert not self.hasher.verify(self.hasher.hash("clave"), other)

    def test_any_keyboard_s_accents_match(self) -> None:
        composed, decomposed = "contrase\u00f1a", "contrasen\u0303a"

        assert self.hasher.verify(self.hasher.hash(composed), decomposed)
        assert self.hasher.verify(self.hasher.hash(decomposed), composed)

    def test_the_same_password_has_a_new_hash_each_time(self) -> None:
        assert self.hasher.hash("clave") != self.hasher.hash("clave")

    def test_what_is_stored_has_the_owasp_parameters(self) -> None:
        assert PasswordHasher().hash("clave").startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    @pytest.mark.parametrize("password", ["", "clave"])
    def test_nobody_matches_nothing(self, password: str) -> None:
        assert self.hasher.verify(None, password) is False

    def test_an_unknown_person_costs_the_same_work(self) -> None:
        hasher, argon = self.counting()

        hasher.verify(hasher.hash("clave"), "other")
        hasher.verify(None, "other")

        known, unknown = argon.work
        assert (known.type, known.memory_cost, known.time_cost, known.parallelism) == (
            unknown.type,
            unknown.memory_cost,
            unknown.time_cost,
            unknown.parallelism,
        )

    @pytest.mark.parametrize(
        "parameters",
        [
            "argon2id$v=19$m=65537,t=1,p=1",
            "argon2id$v=19$m=4194304,t=1,p=1",
            "argon2id$v=19$m=8,t=9,p=1",
            "argon2id$v=19$m=64,t=1,p=5",
            "argon2i$v=19$m=8,t=1,p=1",
            "argon2d$v=19$m=8,t=1,p=1",
        ],
    )
    def test_a_planted_hash_is_refused_without_work(self, parameters: str) -> None:
        hasher, argon = self.counting()
        salt_and_hash = hasher.hash("clave").split("$", 4)[4]

        assert hasher.verify(f"${parameters}${salt_and_hash}", "clave") is False
        assert argon.work == []

    def test_a_hash_with_the_highest_accepted_parameters_matches(self) -> None:
        strong = argon2.PasswordHasher(memory_cost=65_536, time_cost=1, parallelism=4).hash("clave")

        assert self.hasher.verify(strong, "clave")

    @pytest.mark.parametrize("password", ["", "clave", "contraseña", "$argon2id$", "a$b$c$d$e$f", "\ud800"])
    def test_plain_text_in_the_column_never_matches(self, password: str) -> None:
        assert self.hasher.verify(password, password) is False

    @pytest.mark.parametrize(
        "stored",
        [
            "$argon2id$v=19$m=8,t=1,p=1$$",
            "$argon2id$v=19$m=8,t=1,p=1$ñ$ñ",
            "$argon2id$v=19$m=-8,t=-1,p=-1$c29tZXNhbHQ$c29tZXNhbHQ",
            "$argon2id$v=19$m=0,t=0,p=0$c29tZXNhbHQ$c29tZXNhbHQ",
            "$argon2id$v=18$m=8,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
            "$argon2id$m=8,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
            "$bcrypt$v=19$m=8,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
        ],
    )
    def test_a_broken_hash_never_matches(self, stored: str) -> None:
        assert self.hasher.verify(stored, "clave") is False

    @settings(max_examples=100, deadline=None)
    @given(stored=st.text(max_size=80), password=st.text(max_size=20))
    def test_whatever_is_stored_there_is_an_answer(self, stored: str, password: str) -> None:
        assert self.hasher.verify(stored, password) is False


class TestTemporaryPassword:
    def test_it_survives_being_read_aloud(self) -> None:
        assert set(generate_temporary_password()) <= set("abcdefghijklmnopqrstuvwxyz234567")

    def test_it_holds_128_bits(self) -> None:
        password = generate_temporary_password()

        assert len(password) == 26
        assert len(base64.b32decode(password.upper() + "======")) == 16

    def test_no_two_are_alike(self) -> None:
        assert len({generate_temporary_password() for _ in range(1000)}) == 1000


def test_a_token_of_another_installation_is_refused(tokens: AccessTokens) -> None:
    foreign = make_tokens("k4.local." + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))

    with pytest.raises(NotAuthenticated):
        tokens.user_id_of(foreign.issue(user_id=USER_ID).token)
