"""Keys, sealed texts and password hashes; sealed texts are cross-read with a second implementation of PASETO."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import argon2
import pyseto
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maverik_backend.core.secret_key import make_keyring
from maverik_backend.core.security import (
    KEY_BYTES,
    Keyring,
    PasswordHasher,
    Purpose,
    Unsealable,
    generate_paserk,
    generate_temporary_password,
)
from maverik_backend.errors import SettingsError
from maverik_backend.settings import AppSettings, SecuritySettings, Settings
from tests.support.sealing import kid_of, pyseto_key, raw_key, with_footer

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class TestPurpose:
    def test_what_was_sealed_opens_for_the_same_purpose(self, keyring: Keyring) -> None:
        sealed = keyring.seal("¡hola!".encode(), purpose=Purpose.MAIL)

        assert keyring.unseal(sealed, purpose=Purpose.MAIL) == "¡hola!".encode()

    @pytest.mark.parametrize(("made_for", "used_for"), [(p, q) for p in Purpose for q in Purpose if p is not q])
    def test_a_token_of_another_purpose_is_refused(
        self, keyring: Keyring, made_for: Purpose, used_for: Purpose
    ) -> None:
        with pytest.raises(Unsealable):
            keyring.unseal(keyring.seal(b"text", purpose=made_for), purpose=used_for)


class TestEnvelope:
    """What is done to a sealed text before it comes back; tests/core/test_tokens.py has more."""

    @pytest.mark.parametrize("segment", [2, 3])
    def test_unused_bits_at_the_end_of_a_segment_must_be_zero(self, keyring: Keyring, segment: int) -> None:
        segments = keyring.seal(b"", purpose=Purpose.MAIL).split(".")
        good = segments[segment]
        other = good[:-1] + BASE64URL[BASE64URL.index(good[-1]) + 1]
        segments[segment] = other

        assert base64.urlsafe_b64decode(other + "==") == base64.urlsafe_b64decode(good + "==")
        with pytest.raises(Unsealable, match="encoding"):
            keyring.unseal(".".join(segments), purpose=Purpose.MAIL)

    def test_a_large_footer_is_refused_before_it_is_read(self, keyring: Keyring) -> None:
        token = keyring.seal(b"text", purpose=Purpose.MAIL)
        footer = json.dumps({"kid": kid_of(token), "more": "x" * 300}).encode()

        with pytest.raises(Unsealable, match="envelope"):
            keyring.unseal(with_footer(token, footer), purpose=Purpose.MAIL)


class TestAgainstPyseto:
    """The same tokens and identifiers as an implementation that shares no code with ours."""

    ASSERTION = b"maverik_backend/outbox"

    def test_it_reads_ours(self, keyring: Keyring, paserk: str) -> None:
        sealed = keyring.seal(b"text", purpose=Purpose.MAIL)

        read = pyseto.decode(pyseto_key(paserk), sealed, implicit_assertion=self.ASSERTION)

        assert read.payload == b"text"
        assert json.loads(read.footer if isinstance(read.footer, bytes) else b"") == {"kid": kid_of(sealed)}

    def test_we_read_its(self, keyring: Keyring, paserk: str) -> None:
        key = pyseto_key(paserk)
        footer = json.dumps({"kid": key.to_paserk_id()}).encode()
        sealed = pyseto.encode(key, b"text", footer=footer, implicit_assertion=self.ASSERTION)

        assert keyring.unseal(sealed.decode(), purpose=Purpose.MAIL) == b"text"

    @pytest.mark.parametrize("assertion", [b"", b"maverik_backend/access", b"maverik_backend/outbox/"])
    def test_it_cannot_read_ours_without_the_purpose(self, keyring: Keyring, paserk: str, assertion: bytes) -> None:
        sealed = keyring.seal(b"text", purpose=Purpose.MAIL)

        with pytest.raises(pyseto.DecryptError):
            pyseto.decode(pyseto_key(paserk), sealed, implicit_assertion=assertion)

    @pytest.mark.parametrize("assertion", [b"", b"maverik_backend/access"])
    def test_we_do_not_read_its_without_the_purpose(self, keyring: Keyring, paserk: str, assertion: bytes) -> None:
        key = pyseto_key(paserk)
        footer = json.dumps({"kid": key.to_paserk_id()}).encode()
        sealed = pyseto.encode(key, b"text", footer=footer, implicit_assertion=assertion)

        with pytest.raises(Unsealable):
            keyring.unseal(sealed.decode(), purpose=Purpose.MAIL)

    def test_a_key_has_the_identifier_of_the_paserk_specification(self, keyring: Keyring, paserk: str) -> None:
        assert kid_of(keyring.seal(b"", purpose=Purpose.MAIL)) == pyseto_key(paserk).to_paserk_id()

    def test_a_generated_key_is_a_paserk(self, paserk: str) -> None:
        assert pyseto_key(paserk).to_paserk() == paserk


class TestKeys:
    def test_a_generated_one_has_32_bytes(self, paserk: str) -> None:
        assert len(raw_key(paserk)) == KEY_BYTES

    def test_no_two_generated_ones_are_alike(self) -> None:
        assert len({generate_paserk() for _ in range(50)}) == 50

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
        sealed = Keyring([old]).seal(b"text", purpose=Purpose.MAIL)

        assert keyring.unseal(sealed, purpose=Purpose.MAIL) == b"text"
        assert not (tmp_path / "data").exists()

    def test_a_generated_key_survives_restarts(self, tmp_path: Path) -> None:
        sealed = make_keyring(self.settings_with(tmp_path, None)).seal(b"text", purpose=Purpose.MAIL)

        assert make_keyring(self.settings_with(tmp_path, None)).unseal(sealed, purpose=Purpose.MAIL) == b"text"

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


class CrowdedArgon2(CountingArgon2):
    """Remembers how many were inside at once. Each waits until ``expected`` are, for a moment at most."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.inside = self.most = 0
        self._expected = expected
        self._all_in = threading.Event()
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside >= self._expected:
                self._all_in.set()
        self._all_in.wait(timeout=0.2)
        try:
            return super().verify(hash, password)
        finally:
            with self._lock:
                self.inside -= 1


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

    def test_no_more_are_hashed_at_once_than_there_are_processors_and_all_have_their_turn(self) -> None:
        processors = os.cpu_count() or 1
        hasher, argon = PasswordHasher(memory_kib=8, passes=1), CrowdedArgon2(expected=processors + 1)
        stored = hasher.hash("clave")
        hasher._argon2 = argon  # noqa: SLF001 - the work itself is what is measured

        with ThreadPoolExecutor(3 * processors) as crowd:
            answers = list(crowd.map(lambda _: hasher.verify(stored, "clave"), range(3 * processors)))

        assert answers == [True] * 3 * processors
        assert argon.most <= processors

    @pytest.mark.parametrize("password", ["", "clave"])
    def test_no_password_matches_no_hash(self, password: str) -> None:
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
