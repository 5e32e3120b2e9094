from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from maverik_backend.services.turns import events, log
from maverik_backend.services.turns.events import StoredEvent, TextDelta, TurnEvent
from maverik_backend.services.turns.log import Subscription, TurnLog
from tests.support.turns import finished

LONG_S = 30.0


def _filled(*texts: str, complete: bool = True) -> TurnLog:
    turn_log = TurnLog()
    for text in texts:
        turn_log.append(TextDelta(text=text))
    if complete:
        turn_log.append(finished())
    return turn_log


def _text(batches: Sequence[Sequence[TurnEvent]]) -> str:
    return "".join(event.text for batch in batches for event in batch if isinstance(event, TextDelta))


async def _collect(turn_log: TurnLog, *, idle_s: float = LONG_S) -> list[Sequence[TurnEvent]]:
    return [batch async for batch in Subscription(turn_log, idle_s=idle_s).batches()]


def test_a_late_reader_gets_everything_in_one_batch() -> None:
    batches = asyncio.run(_collect(_filled("uno ", "dos")))
    assert len(batches) == 1
    assert _text(batches) == "uno dos"


def test_a_reader_gets_what_another_thread_appends_while_it_waits() -> None:
    turn_log = _filled("uno ", complete=False)

    def write() -> None:
        turn_log.append(TextDelta(text="dos"))
        turn_log.append(finished())

    async def read() -> list[Sequence[TurnEvent]]:
        writer = threading.Thread(target=write)
        got = []
        async with aclosing(Subscription(turn_log, idle_s=LONG_S).batches()) as batches:
            async for batch in batches:
                got.append(batch)
                if len(got) == 1:
                    writer.start()
        writer.join()
        return got

    assert _text(asyncio.run(read())) == "uno dos"


def test_every_reader_gets_every_event_in_order_however_the_threads_interleave() -> None:
    turn_log = TurnLog()
    texts = [f"{number} " for number in range(2000)]

    def write() -> None:
        for text in texts:
            turn_log.append(TextDelta(text=text))
        turn_log.append(finished())

    async def read() -> list[list[Sequence[TurnEvent]]]:
        readers = [asyncio.create_task(_collect(turn_log)) for _ in range(5)]
        await asyncio.sleep(0)
        writer = threading.Thread(target=write)
        writer.start()
        collected = await asyncio.gather(*readers)
        writer.join()
        return collected

    for batches in asyncio.run(read()):
        assert _text(batches) == "".join(texts)


def test_a_reader_is_woken_once_for_many_appends() -> None:
    turn_log = TurnLog()

    async def wakes() -> int:
        subscription = Subscription(turn_log, idle_s=LONG_S)
        batches = subscription.batches()
        first = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        loop, scheduled = asyncio.get_running_loop(), 0
        call_soon = loop.call_soon_threadsafe

        def counting(*arguments: object, **options: object) -> object:
            nonlocal scheduled
            scheduled += 1
            return call_soon(*arguments, **options)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = counting  # type: ignore[method-assign, assignment]
        for _ in range(100):
            turn_log.append(TextDelta(text="x"))
        await first
        await batches.aclose()
        return scheduled

    assert asyncio.run(wakes()) == 1


def test_silence_is_an_empty_batch() -> None:
    async def first() -> Sequence[TurnEvent]:
        async with aclosing(Subscription(TurnLog(), idle_s=0.01).batches()) as batches:
            return await anext(batches)

    assert asyncio.run(first()) == ()


def test_a_reader_that_stops_early_no_longer_listens() -> None:
    turn_log = _filled("uno", complete=False)

    async def read_one() -> None:
        async with aclosing(Subscription(turn_log, idle_s=LONG_S).batches()) as batches:
            await anext(batches)
            assert turn_log.listener_count == 1

    asyncio.run(read_one())
    assert turn_log.listener_count == 0


@pytest.mark.parametrize(
    "event",
    [
        TextDelta(text="¿Qué?"),
        events.ToolCall(call_id="c1", name="calculadora", arguments={"a": 1}),
        events.ToolResult(call_id="c1", result={"b": [2]}),
        events.Source(title="Bonos", url=None),
        events.Data(name="portafolio", value={"activos": []}),
        events.Usage(input_tokens=1, output_tokens=2),
    ],
)
def test_an_event_survives_the_way_to_another_replica(event: StoredEvent) -> None:
    assert events.decode(events.encode(event)) == event


def test_an_event_of_a_later_release_is_passed_over() -> None:
    assert events.decode({"type": "Hologram", "depth": 3}) is None


def test_no_more_than_one_batch_comes_in_a_flush_interval() -> None:
    turn_log = _filled("uno", complete=False)

    async def pause_s() -> float:
        loop = asyncio.get_running_loop()
        batches = Subscription(turn_log, idle_s=LONG_S).batches()
        await anext(batches)
        began = loop.time()
        turn_log.append(TextDelta(text="dos"))
        await anext(batches)
        await batches.aclose()
        return loop.time() - began

    assert asyncio.run(pause_s()) >= log.FLUSH_INTERVAL_S * 0.9
