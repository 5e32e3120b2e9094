"""What the most expensive requests that there are cost, and what everybody else feels while they come.

==============  =======================================================================================================
Measurement     Definition
==============  =======================================================================================================
worst-requests  every worst case of ``tests/support/worst_texts.py`` in every field of every body, as long as the field
                takes it, as long as the route reads it, and in 256 KB; processor time of the server for each, the mean
                of :data:`REPEATS`; then :data:`CALLERS` callers send the most expensive ones without a pause, while
                ``/health/live`` and sign-ins are asked for at fixed moments
==============  =======================================================================================================
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from tests.bench.crowd import described, logins_of
from tests.bench.figures import Figure, Result
from tests.bench.load import Line, Samples, closed_loop, make_call, open_loop
from tests.bench.stage import Person, Stage
from tests.support.processes import ServerProcess
from tests.support.worst_requests import (
    FIELDS,
    OPERATIONS,
    body_of,
    encoded,
    longest_read,
    longest_taken,
    path_of,
    room_in,
)
from tests.support.worst_texts import WORST_JSON, WORST_TEXTS

ATTACK_BYTES = 256 * 1024
REPEATS = 5  # the system counts a process's time in hundredths of a second
CALLERS = 4
MOST_EXPENSIVE = 20
PROBES_PER_S = 20
ATTACK_S = 20.0
IDLE_S = 10.0
LOGINS_PER_S = 2
TOO_LARGE = 413
SERVER_ERROR = 500
_CUT = 0
# These would end the login that the others are sent with.
_NOT_SENT = {"log_out", "end_login", "delete_me"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One request, and what it is."""

    title: str
    call: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an attack took of the server's processor time, and how it was answered (0: the connection was cut)."""

    attack: Attack
    processor_ms: float
    status: int


def worst_requests(stage: Stage) -> Result:
    attacker, *others = stage.people
    with stage.product(RATE_LIMITS_ENABLED="false") as server:
        costs = asyncio.run(_measure(server, list(attacks(attacker)), repeats=stage.rounds(REPEATS)))
        costs.sort(key=lambda cost: -cost.processor_ms)
        # Those that are cut off close their connection, so they cannot be sent without a pause.
        calls = [cost.attack.call for cost in costs if cost.status not in {_CUT, TOO_LARGE}][:MOST_EXPENSIVE]
        idle = asyncio.run(_probe(server, seconds=stage.seconds(IDLE_S)))
        live, logins = asyncio.run(_meanwhile(server, stage, others, calls))
    worst, failures = costs[0].processor_ms, sum(cost.status >= SERVER_ERROR for cost in costs)
    return Result(
        figures=[
            Figure(title=f"processor for the worst of {len(costs)} requests", value=worst, unit="ms", at_most=250),
            Figure(title="... answered with 5xx", value=failures, at_most=0),
            Figure(title="/health/live p99, no other requests", value=idle.percentile_ms(99), unit="ms"),
            Figure(title="/health/live p99, worst requests", value=live.percentile_ms(99), unit="ms", at_most=250),
            Figure(title="login p99, worst requests", value=logins.percentile_ms(99), unit="ms", at_most=250),
        ],
        details={
            "worst": [{cost.attack.title: cost.processor_ms} for cost in costs[:MOST_EXPENSIVE]],
            "statuses": dict(Counter(str(cost.status) for cost in costs)),
            "live": described(live),
            "login": described(logins),
        },
    )


def attacks(person: Person) -> Iterator[Attack]:
    """Every worst case in every field."""
    for name, field in FIELDS:
        values = {
            **{f"{title}, taken": encoded(make(longest_taken(name, field))) for title, make in WORST_TEXTS.items()},
            **{f"{title}, read": longest_read(name, make(room_in(name))) for title, make in WORST_TEXTS.items()},
            **{title: make(room_in(name)) for title, make in WORST_JSON.items()},
        }
        for title, value in values.items():
            yield _attack(person, name, f"{field}: {title}", body_of(name, field, value))
    for name in OPERATIONS.keys() - _NOT_SENT:
        yield _attack(person, name, "256 KB", encoded("\u0316\u0301" * (ATTACK_BYTES // 4)))


def _attack(person: Person, name: str, title: str, body: bytes) -> Attack:
    path = path_of(name, person.session_id)
    call = make_call(OPERATIONS[name]["method"], path, token=person.token, content=body)
    return Attack(title=f"{name} {title}", call=call)


async def _measure(server: ServerProcess, planned: list[Attack], *, repeats: int) -> list[Cost]:
    return [await _cost(server, attack, repeats=repeats) for attack in planned]


async def _cost(server: ServerProcess, attack: Attack, *, repeats: int) -> Cost:
    process = psutil.Process(server.pid)
    before = process.cpu_times()
    for _ in range(repeats):
        status = await _send(server.port, attack.call)
    after = process.cpu_times()
    took_s = after.user + after.system - before.user - before.system
    return Cost(attack=attack, processor_ms=took_s * 1000 / repeats, status=status)


async def _send(port: int, call: bytes) -> int:
    """The answer's status; the server may end the connection before all of the request was sent."""
    line = await Line.open(port)
    try:
        return (await line.call(call))[0]
    except (ConnectionError, asyncio.IncompleteReadError):
        return _CUT
    finally:
        line.close()


async def _meanwhile(
    server: ServerProcess, stage: Stage, others: list[Person], calls: list[bytes]
) -> tuple[Samples, Samples]:
    """What others are answered while the attack goes on."""
    seconds = stage.seconds(ATTACK_S)
    attack = closed_loop(server.port, [itertools.cycle(calls)] * CALLERS, seconds=seconds)
    live = _probe(server, seconds=seconds)
    logins = open_loop(server.port, logins_of(stage, others), per_s=LOGINS_PER_S, seconds=seconds)
    _, answered, signed_in = await asyncio.gather(attack, live, logins)
    return answered, signed_in


async def _probe(server: ServerProcess, *, seconds: float) -> Samples:
    calls = itertools.repeat(make_call("GET", "/health/live"))
    return await open_loop(server.port, calls, per_s=PROBES_PER_S, seconds=seconds)
