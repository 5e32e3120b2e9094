"""Which ``traceparent`` and ``tracestate`` are taken over, and what is passed on."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maverik_backend.core import trace
from maverik_backend.core.trace import MAX_STATE_CHARS, MAX_STATE_MEMBERS, Trace

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
PASSED_ON = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]")


def hexadecimal(digits: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=digits, max_size=digits)


def id_of(digits: int) -> st.SearchStrategy[str]:
    return hexadecimal(digits).filter(lambda text: set(text) != {"0"})


def received(*parents: str, states: Sequence[str] = ()) -> Trace:
    return Trace.of_headers(parents=parents, states=states)


def state_of(*states: str) -> str:
    return received(PARENT, states=states).state


def sent(given: Trace) -> dict[str, str]:
    with trace.following(given):
        return dict(trace.outgoing_headers())


class TestParent:
    @given(trace_id=id_of(32), parent_id=id_of(16), flags=hexadecimal(2))
    def test_every_well_formed_one_is_taken_over(self, trace_id: str, parent_id: str, flags: str) -> None:
        found = received(f"00-{trace_id}-{parent_id}-{flags}")

        assert found == Trace(trace_id=trace_id, is_sampled=int(flags, 16) % 2 == 1)

    @given(
        version=hexadecimal(2).filter(lambda text: text not in {"00", "ff"}), more=st.sampled_from(["", "-", "-x-1"])
    )
    def test_of_a_later_version_the_known_part_is(self, version: str, more: str) -> None:
        assert received(f"{version}-{TRACE_ID}-{SPAN_ID}-01{more}").trace_id == TRACE_ID

    @pytest.mark.parametrize(
        "header",
        [
            "",
            f"ff-{TRACE_ID}-{SPAN_ID}-01",
            f"00-{'0' * 32}-{SPAN_ID}-01",
            f"00-{TRACE_ID}-{'0' * 16}-01",
            f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
            f"{PARENT}-more",
            f"{PARENT}-",
            PARENT[:-1],
            f"0{PARENT}",
            PARENT.replace("-", "_"),
            f"cc-{TRACE_ID}-{SPAN_ID}-01.more",
            f"00-{TRACE_ID[:-1]}-{SPAN_ID}-01",
            f"00-{TRACE_ID}-{SPAN_ID}-0g",
            f"00-{TRACE_ID[:-1]}\u0664-{SPAN_ID}-01",
        ],
    )
    def test_any_other_begins_a_new_trace(self, header: str) -> None:
        assert received(header).trace_id not in {TRACE_ID, "0" * 32}

    def test_two_of_them_are_none(self) -> None:
        assert received(PARENT, PARENT).trace_id != TRACE_ID

    def test_traces_that_begin_here_differ(self) -> None:
        assert Trace.new().trace_id != Trace.new().trace_id

    @given(header=st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.*"))
    def test_whatever_came_what_is_passed_on_is_well_formed(self, header: str) -> None:
        assert PASSED_ON.fullmatch(sent(received(header))["traceparent"])


class TestState:
    @pytest.mark.parametrize(
        ("headers", "state"),
        [
            (["rojo=00f067aa,congo=t61rcWkgMzE"], "rojo=00f067aa,congo=t61rcWkgMzE"),
            (["rojo=1", "congo=2"], "rojo=1,congo=2"),
            ([" rojo=1 ,\t congo=2 ,,"], "rojo=1,congo=2"),
            (["fw529a3039@dt=FfAAAA", ""], "fw529a3039@dt=FfAAAA"),
            (["a= leading space"], "a= leading space"),
            ([], ""),
        ],
    )
    def test_a_valid_list_is_passed_on_in_its_order(self, headers: list[str], state: str) -> None:
        assert sent(received(PARENT, states=headers)).get("tracestate", "") == state

    @pytest.mark.parametrize(
        "header",
        [
            "rojo",
            "rojo=",
            "=1",
            "Rojo=1",
            "1rojo=1",
            "rojo=1,rojo=2",
            "rojo=a=b",
            "rojo=ñ",
            "rojo=a\x00b",
            "rojo=1,Congo=2",
            f"{'a' * 257}=1",
            f"a={'1' * 257}",
            "@dt=1",
            "a@b@c=1",
        ],
    )
    def test_one_that_breaks_the_rules_is_not(self, header: str) -> None:
        assert state_of(header) == ""

    def test_so_many_members_are_allowed_and_no_more(self) -> None:
        members = [f"k{number}=1" for number in range(MAX_STATE_MEMBERS + 1)]

        assert state_of(",".join(members[:-1])) == ",".join(members[:-1])
        assert state_of(",".join(members)) == ""

    def test_without_a_valid_parent_it_is_dropped(self) -> None:
        assert received("nonsense", states=["rojo=1"]).state == ""

    def test_a_long_list_loses_its_long_members_then_its_last(self) -> None:
        long = f"long={'x' * 200}"
        short = [f"k{number}={'x' * 90}" for number in range(6)]

        assert state_of(",".join([long, *short])) == ",".join(short[:5])

    @given(headers=st.lists(st.text(st.characters(max_codepoint=255)) | st.from_regex(r"([a-z]+=[ -~]+,){1,40}")))
    def test_whatever_came_what_is_passed_on_is_bounded_ascii(self, headers: list[str]) -> None:
        state = state_of(*headers)

        assert len(state) <= MAX_STATE_CHARS
        assert state.isascii()
        assert state_of(state) == state


class TestPassingOn:
    def test_each_call_gets_a_span_of_its_own_in_the_same_trace(self) -> None:
        given = received(PARENT)
        first, second = sent(given)["traceparent"], sent(given)["traceparent"]

        assert first[:36] == second[:36] == PARENT[:36]
        assert len({first[36:52], second[36:52], SPAN_ID}) == 3

    @pytest.mark.parametrize(("flags", "passed_on"), [("01", "01"), ("ff", "01"), ("00", "00"), ("fe", "00")])
    def test_of_the_flags_only_the_known_one_is(self, flags: str, passed_on: str) -> None:
        assert sent(received(f"00-{TRACE_ID}-{SPAN_ID}-{flags}"))["traceparent"].endswith(f"-{passed_on}")

    def test_outside_a_trace_there_is_nothing_to_pass_on(self) -> None:
        assert trace.outgoing_headers() == {}

    def test_after_the_block_it_is_as_before(self) -> None:
        outer = Trace.new()
        with trace.following(outer):
            sent(Trace.new())

            assert outer.trace_id in trace.outgoing_headers()["traceparent"]
