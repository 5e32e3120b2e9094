"""What tokens say, how long they hold, and that nothing else is one."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyseto
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from maverik_backend.core.security import ISSUER, Keyring, Purpose, generate_paserk
from maverik_backend.core.tokens import MAX_TOKEN_CHARS, AccessToken, RefreshClaims, Tokens
from maverik_backend.errors import NotAuthenticated
from tests.support.mutations import Mutation, mutations
from tests.support.sealing import kid_of, pyseto_key, with_footer

USER_ID, LOGIN_ID = 42, 7
TTL = timedelta(hours=1)
REFRESH_TTL = timedelta(days=30)


def make_tokens(*paserks: str, ttl: timedelta = TTL) -> Tokens:
    return Tokens(Keyring(paserks), access_ttl=ttl, refresh_ttl=REFRESH_TTL)


def issue(tokens: Tokens, *, user_id: int = USER_ID) -> AccessToken:
    return tokens.issue_access(user_id=user_id, login_id=LOGIN_ID)


@pytest.fixture
def tokens(keyring: Keyring) -> Tokens:
    return Tokens(keyring, access_ttl=TTL, refresh_ttl=REFRESH_TTL)


class TestAccessToken:
    def test_it_tells_whom_it_was_issued_to(self, tokens: Tokens) -> None:
        assert tokens.read_access(issue(tokens).token).user_id == USER_ID

    def test_it_tells_in_which_login(self, tokens: Tokens) -> None:
        assert tokens.read_access(issue(tokens).token).login_id == LOGIN_ID

    def test_it_says_how_long_it_holds(self, tokens: Tokens) -> None:
        assert issue(tokens).expires_in_s == 3600

    def test_no_two_are_alike(self, tokens: Tokens) -> None:
        assert issue(tokens).token != issue(tokens).token

    def test_it_fits_the_limit_with_the_longest_id(self, tokens: Tokens) -> None:
        assert len(issue(tokens, user_id=2**63 - 1).token) < MAX_TOKEN_CHARS

    def test_it_shows_no_claims(self, tokens: Tokens) -> None:
        body = issue(tokens).token.split(".")[2]

        assert ISSUER.encode() not in base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))

    def test_one_that_held_before_is_refused_once_it_has_expired(self, paserk: str) -> None:
        ttl = timedelta(seconds=1.5)
        tokens = Tokens(Keyring([paserk]), access_ttl=ttl, refresh_ttl=ttl)
        token = tokens.issue_access(user_id=7, login_id=11).token
        assert tokens.read_access(token).user_id == 7

        threading.Event().wait(ttl.total_seconds())

        with pytest.raises(NotAuthenticated):
            tokens.read_access(token)

    def test_as_many_as_there_are_are_told_apart(self, tokens: Tokens) -> None:
        issued = {user_id: tokens.issue_access(user_id=user_id, login_id=11).token for user_id in range(1, 50)}

        read = [{user_id: tokens.read_access(token).user_id for user_id, token in issued.items()} for _ in range(2)]

        assert read == [{user_id: user_id for user_id in issued}] * 2

    def test_an_expired_one_is_refused(self, paserk: str) -> None:
        expired = issue(make_tokens(paserk, ttl=timedelta(seconds=-1)))

        with pytest.raises(NotAuthenticated):
            make_tokens(paserk).read_access(expired.token)


class TestRefreshToken:
    def test_it_tells_its_login_and_which_one_it_is(self, tokens: Tokens) -> None:
        token = tokens.issue_refresh(login_id=LOGIN_ID, rotation=3)

        assert tokens.read_refresh(token) == RefreshClaims(login_id=LOGIN_ID, rotation=3)

    def test_no_two_are_alike(self, tokens: Tokens) -> None:
        first, second = (tokens.issue_refresh(login_id=LOGIN_ID, rotation=0) for _ in range(2))

        assert first != second

    def test_an_expired_one_is_refused(self, keyring: Keyring, tokens: Tokens) -> None:
        past = Tokens(keyring, access_ttl=TTL, refresh_ttl=timedelta(seconds=-1))

        with pytest.raises(NotAuthenticated):
            tokens.read_refresh(past.issue_refresh(login_id=LOGIN_ID, rotation=0))

    def test_it_outlives_the_access_token(self, keyring: Keyring, tokens: Tokens) -> None:
        past = Tokens(keyring, access_ttl=timedelta(seconds=-1), refresh_ttl=TTL)

        assert tokens.read_refresh(past.issue_refresh(login_id=LOGIN_ID, rotation=0)).login_id == LOGIN_ID

    def test_it_is_no_access_token(self, tokens: Tokens) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(tokens.issue_refresh(login_id=LOGIN_ID, rotation=0))

    def test_an_access_token_is_no_refresh_token(self, tokens: Tokens) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_refresh(issue(tokens).token)

    def test_the_audience_alone_does_not_make_one(self, keyring: Keyring, tokens: Tokens) -> None:
        claims = json.loads(keyring.unseal(issue(tokens).token, purpose=Purpose.ACCESS_TOKEN))
        disguised = keyring.seal(
            json.dumps({**claims, "aud": "refresh", "rot": 0}).encode(), purpose=Purpose.ACCESS_TOKEN
        )

        with pytest.raises(NotAuthenticated):
            tokens.read_refresh(disguised)


class TestClaims:
    """Tokens that our own key sealed, with claims that must not hold."""

    @staticmethod
    def craft(keyring: Keyring, changes: dict[str, Any] | None = None, *, without: str | None = None) -> str:
        now = datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": "access",
            "sub": str(USER_ID),
            "sid": str(LOGIN_ID),
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

    def test_good_ones_are_accepted(self, tokens: Tokens, keyring: Keyring) -> None:
        assert tokens.read_access(self.craft(keyring)).user_id == USER_ID

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"])
    def test_each_is_required(self, tokens: Tokens, keyring: Keyring, claim: str) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, without=claim))

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"])
    @pytest.mark.parametrize("value", [None, "", [], {}])
    def test_none_may_be_empty(self, tokens: Tokens, keyring: Keyring, claim: str, value: object) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {claim: value}))

    @pytest.mark.parametrize("issuer", ["maverik", "Maverik_Backend", ["maverik_backend"]])
    def test_another_issuer_is_refused(self, tokens: Tokens, keyring: Keyring, issuer: object) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {"iss": issuer}))

    @pytest.mark.parametrize("audience", ["outbox", "refresh", ["access"]])
    def test_another_audience_is_refused(self, tokens: Tokens, keyring: Keyring, audience: object) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {"aud": audience}))

    @pytest.mark.parametrize("claim", ["nbf", "iat"])
    def test_small_clock_differences_are_forgiven(self, tokens: Tokens, keyring: Keyring, claim: str) -> None:
        assert tokens.read_access(self.craft(keyring, {claim: self.moment(50)})).user_id == USER_ID

    @pytest.mark.parametrize("claim", ["nbf", "iat"])
    def test_one_from_the_future_is_refused(self, tokens: Tokens, keyring: Keyring, claim: str) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {claim: self.moment(90)}))

    @pytest.mark.parametrize("seconds", [-1, -3600])
    def test_one_that_ended_is_refused(self, tokens: Tokens, keyring: Keyring, seconds: float) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {"exp": self.moment(seconds)}))

    @pytest.mark.parametrize("claim", ["nbf", "iat", "exp"])
    @pytest.mark.parametrize("value", ["2999-01-01T00:00:00", "yesterday", 4102444800, True])
    def test_a_time_without_zone_or_meaning_is_refused(
        self, tokens: Tokens, keyring: Keyring, claim: str, value: object
    ) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {claim: value}))

    @pytest.mark.parametrize("message", [b"", b"x", b"[]", b"null", b"1", b'"text"', b"\xff", b"[" * 2000, b"{" * 2000])
    def test_claims_that_are_no_object_are_refused(self, tokens: Tokens, keyring: Keyring, message: bytes) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(keyring.seal(message, purpose=Purpose.ACCESS_TOKEN))

    def test_an_endless_subject_is_refused(self, tokens: Tokens, keyring: Keyring) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(self.craft(keyring, {"sub": float("inf")}))


class TestPurpose:
    def test_a_sealed_mail_is_no_access_token(self, tokens: Tokens, keyring: Keyring) -> None:
        access = issue(tokens).token
        claims = keyring.unseal(access, purpose=Purpose.ACCESS_TOKEN)

        with pytest.raises(NotAuthenticated):
            tokens.read_access(keyring.seal(claims, purpose=Purpose.MAIL))


class TestRotation:
    def test_the_first_key_seals(self) -> None:
        new, old = generate_paserk(), generate_paserk()

        assert kid_of(issue(make_tokens(new, old)).token) == pyseto_key(new).to_paserk_id()

    def test_every_key_opens(self) -> None:
        new, old = generate_paserk(), generate_paserk()
        token = issue(make_tokens(old)).token

        assert make_tokens(new, old).read_access(token).user_id == USER_ID

    def test_a_key_that_was_taken_out_refuses(self) -> None:
        new, old = generate_paserk(), generate_paserk()
        token = issue(make_tokens(old)).token

        with pytest.raises(NotAuthenticated):
            make_tokens(new).read_access(token)

    def test_a_footer_that_names_another_known_key_is_refused(self) -> None:
        first, second = generate_paserk(), generate_paserk()
        token = issue(make_tokens(first)).token
        footer = json.dumps({"kid": pyseto_key(second).to_paserk_id()}, separators=(",", ":")).encode()

        with pytest.raises(NotAuthenticated):
            make_tokens(first, second).read_access(with_footer(token, footer))


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
    def test_a_token_that_was_changed_is_refused(self, tokens: Tokens, change: Callable[[str], str]) -> None:
        token = issue(tokens).token
        changed = change(token)

        assert changed != token
        with pytest.raises(NotAuthenticated):
            tokens.read_access(changed)

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
    def test_a_footer_that_names_no_known_key_is_refused(self, tokens: Tokens, footer: bytes) -> None:
        with pytest.raises(NotAuthenticated):
            tokens.read_access(with_footer(issue(tokens).token, footer))

    def test_an_overlong_token_is_refused_even_when_it_is_genuine(self, tokens: Tokens, keyring: Keyring) -> None:
        with pytest.raises(NotAuthenticated, match="too long"):
            tokens.read_access(keyring.seal(b" " * MAX_TOKEN_CHARS, purpose=Purpose.ACCESS_TOKEN))

    def test_the_refusal_tells_nothing_about_the_token(self, tokens: Tokens) -> None:
        token = issue(tokens).token

        with pytest.raises(NotAuthenticated) as caught:
            tokens.read_access(token[:-1])
        assert token[:20] not in str(caught.value)
        assert caught.value.__suppress_context__


class TestAnyMutation:
    tokens = make_tokens("k4.local." + "A" * 43)

    @settings(max_examples=2_000, deadline=None)
    @given(mutations())
    def test_only_not_authenticated_ever_comes_out(self, mutate: Mutation) -> None:
        token = issue(self.tokens).token
        mutated = mutate(token)
        assume(mutated != token)

        with pytest.raises(NotAuthenticated):
            self.tokens.read_access(mutated)

    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=200) | st.text(max_size=100).map("v4.local.{0}.{0}".format))
    @example("v4.local.\udfff.\udfff")
    def test_no_text_is_a_token(self, text: str) -> None:
        with pytest.raises(NotAuthenticated):
            self.tokens.read_access(text)


class TestAgainstPyseto:
    """Both kinds, cross-read with an implementation that shares no code with ours."""

    @staticmethod
    def claims_of(paserk: str, token: str, purpose: Purpose) -> dict[str, Any]:
        read = pyseto.decode(
            pyseto_key(paserk), token, implicit_assertion=f"{ISSUER}/{purpose}".encode(), deserializer=json
        )
        assert isinstance(read.payload, dict)
        return read.payload

    @staticmethod
    def seal(paserk: str, claims: dict[str, Any], purpose: Purpose) -> str:
        key = pyseto_key(paserk)
        footer = json.dumps({"kid": key.to_paserk_id()}).encode()
        assertion = f"{ISSUER}/{purpose}".encode()
        return pyseto.encode(key, json.dumps(claims).encode(), footer=footer, implicit_assertion=assertion).decode()

    def test_it_reads_our_access_token(self, tokens: Tokens, paserk: str) -> None:
        claims = self.claims_of(paserk, issue(tokens).token, Purpose.ACCESS_TOKEN)

        assert (claims["iss"], claims["aud"], claims["sub"], claims["sid"]) == (ISSUER, "access", "42", "7")

    def test_it_reads_our_refresh_token(self, tokens: Tokens, paserk: str) -> None:
        token = tokens.issue_refresh(login_id=LOGIN_ID, rotation=3)

        claims = self.claims_of(paserk, token, Purpose.REFRESH_TOKEN)

        assert (claims["iss"], claims["aud"], claims["sid"], claims["rot"]) == (ISSUER, "refresh", "7", 3)

    def test_we_read_its_access_token(self, tokens: Tokens, paserk: str) -> None:
        claims = self.claims_of(paserk, issue(tokens).token, Purpose.ACCESS_TOKEN)

        assert tokens.read_access(self.seal(paserk, claims, Purpose.ACCESS_TOKEN)).user_id == USER_ID

    def test_we_read_its_refresh_token(self, tokens: Tokens, paserk: str) -> None:
        token = tokens.issue_refresh(login_id=LOGIN_ID, rotation=3)
        claims = self.claims_of(paserk, token, Purpose.REFRESH_TOKEN)

        assert tokens.read_refresh(self.seal(paserk, claims, Purpose.REFRESH_TOKEN)).rotation == 3


class TestKeys:
    @pytest.mark.parametrize("spelling", ["{}", "{}=", " {} "])
    def test_padding_and_blanks_around_do_not_matter(self, paserk: str, spelling: str) -> None:
        token = issue(make_tokens(paserk)).token

        assert make_tokens(spelling.format(paserk)).read_access(token).user_id == USER_ID


def test_a_token_of_another_installation_is_refused(tokens: Tokens) -> None:
    foreign = make_tokens(generate_paserk())

    with pytest.raises(NotAuthenticated):
        tokens.read_access(issue(foreign).token)
