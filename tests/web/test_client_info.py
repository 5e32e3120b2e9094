"""Whose address is believed, in which spelling, and how much of it is kept."""

from __future__ import annotations

import pytest
from fastapi import Request

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.web.client_info import client_info_of


def request(*forwarded: str, peer: str | None = "10.0.0.1", agent: str | None = None) -> Request:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    if agent is not None:
        headers.append((b"user-agent", agent.encode()))
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


def address(*forwarded: str, proxies: int = 1, peer: str | None = "10.0.0.1") -> str:
    return client_info_of(request(*forwarded, peer=peer), trusted_proxy_count=proxies).address


class TestAcrossProxies:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "expected"),
        [
            (0, ("203.0.113.7",), "10.0.0.1"),
            (1, ("203.0.113.7",), "203.0.113.7"),
            (1, ("1.1.1.1, 203.0.113.7",), "203.0.113.7"),
            (1, ("1.1.1.1,203.0.113.7",), "203.0.113.7"),
            (2, ("1.1.1.1, 203.0.113.7, 10.0.0.2",), "203.0.113.7"),
            (2, ("1.1.1.1", "203.0.113.7", "10.0.0.2"), "203.0.113.7"),
            (3, ("203.0.113.7, 10.0.0.3, 10.0.0.2",), "203.0.113.7"),
        ],
    )
    def test_each_proxy_of_ours_is_one_entry_from_the_right(
        self, proxies: int, forwarded: tuple[str, ...], expected: str
    ) -> None:
        assert address(*forwarded, proxies=proxies) == expected

    @pytest.mark.parametrize("forwarded", [(), ("203.0.113.7",)])
    def test_a_chain_shorter_than_our_proxies_is_not_believed(self, forwarded: tuple[str, ...]) -> None:
        assert address(*forwarded, proxies=2) == "10.0.0.1"

    @pytest.mark.parametrize(
        "garbage",
        [
            "",
            " ",
            "unknown",
            "_hidden",
            "999.1.1.1",
            "1.2.3",
            "a:b:c",
            "[",
            "[]",
            "é",
            "1.1.1.1:x:y",
            "::g",
            "fe80::1%" + "e" * 99,
        ],
    )
    def test_garbage_is_not_an_address(self, garbage: str) -> None:
        assert address(f"1.1.1.1, {garbage}") == "10.0.0.1"

    def test_a_client_without_address_is_counted_as_unknown(self) -> None:
        assert address(proxies=0, peer=None) == "unknown"


class TestOneSpelling:
    @pytest.mark.parametrize(
        ("spelling", "expected"),
        [
            ("203.0.113.7:51234", "203.0.113.7"),
            ("[2001:db8::7]:51234", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("2001:0DB8:0000:0000:0000:0000:0000:0007", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
        ],
    )
    def test_a_forwarded_address(self, spelling: str, expected: str) -> None:
        assert address(spelling) == expected

    def test_the_peers_own(self) -> None:
        assert address(proxies=0, peer="::ffff:203.0.113.7") == "203.0.113.7"


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("full", "kept"),
        [
            ("203.0.113.7", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("unknown", None),
            ("testclient", None),
        ],
    )
    def test_a_network_and_no_address(self, full: str, kept: str | None) -> None:
        assert ClientInfo(address=full).truncated_address == kept

    def test_the_program_in_so_many_characters(self) -> None:
        assert client_info_of(request(agent="x" * 900), trusted_proxy_count=0).short_agent == "x" * 200

    @pytest.mark.parametrize("agent", [None, ""])
    def test_no_program(self, agent: str | None) -> None:
        assert client_info_of(request(agent=agent), trusted_proxy_count=0).short_agent is None


class TestWhatLimitsCountBy:
    def test_every_address_of_an_ipv6_household_counts_as_one(self) -> None:
        first, second = ClientInfo(address="2001:db8:1:2::1"), ClientInfo(address="2001:db8:1:2:ffff::9")

        assert first.limit_address == second.limit_address

    @pytest.mark.parametrize("other", ["2001:db8:1:3::1", "203.0.113.7"])
    def test_another_network_is_counted_apart(self, other: str) -> None:
        assert ClientInfo(address=other).limit_address != ClientInfo(address="2001:db8:1:2::1").limit_address

    def test_ipv4_addresses_are_counted_one_by_one(self) -> None:
        assert ClientInfo(address="203.0.113.7").limit_address != ClientInfo(address="203.0.113.8").limit_address

    def test_what_is_no_address_is_counted_as_it_is(self) -> None:
        assert ClientInfo(address="unknown").limit_address == "unknown"
