"""Many messages at once: read as room becomes free, told as they end, left when one likes."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
import trio

from whiteroute.engine.messages import (
    DeliveryState,
    Message,
)
from whiteroute.simulators import behaviours

Make = Callable[..., Any]


async def test_many_messages_have_an_outcome_each(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(window=100) as bench:
        refs = [
            outcome.message_ref
            async for outcome in bench.engine.submit_many(
                message(message_ref=f"m-{number}") for number in range(700)
            )
        ]

    assert {f"m-{number}" for number in range(700)} == set(refs)
    assert 700 == len(refs)


class Watched:
    """A source that knows how many of its messages have no outcome yet, and how many it had most."""

    def __init__(self, message: Make, number: int) -> None:
        self.message, self.number = message, number
        self.given = self.answered = self.most = 0

    def give(self) -> Message:
        self.given += 1
        self.most = max(self.most, self.given - self.answered)
        return self.message()

    def __iter__(self) -> Iterator[Message]:
        while self.given < self.number:
            yield self.give()

    async def __aiter__(self) -> AsyncIterator[Message]:
        while self.given < self.number:
            await trio.lowlevel.checkpoint()
            yield self.give()


async def test_a_source_is_read_no_further_than_the_bound(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    source = Watched(message, 50)
    async with open_bench(window=100) as bench:
        async for _ in bench.engine.submit_many(iter(source), in_flight=7):
            source.answered += 1
            assert bench.engine.statistics().submissions <= 7

    assert (50, 50) == (source.given, source.answered)
    # What the caller was not told yet is bounded, too.
    assert source.most <= 14


async def test_an_asynchronous_source_is_read_no_further_than_twice_the_bound(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    source = Watched(message, 50)
    async with open_bench(window=100) as bench:
        async for _ in bench.engine.submit_many(source.__aiter__(), in_flight=7):
            source.answered += 1
            assert bench.engine.statistics().submissions <= 7

    assert (50, 50) == (source.given, source.answered)
    assert source.most <= 14


async def test_an_asynchronous_source_may_take_its_time(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async def source() -> AsyncIterator[Message]:
        for _ in range(3):
            await trio.sleep(100)
            yield message()

    async with open_bench() as bench:
        begun = trio.current_time()
        times = [
            round(trio.current_time() - begun) async for _ in bench.engine.submit_many(source())
        ]

    assert [100, 200, 300] == times


class SourceError(Exception):
    """What the application's own source raises."""


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_what_a_source_raises_comes_after_the_outcomes_before_it(
    autojump_clock: Any, open_bench: Make, message: Make, asynchronous: bool
) -> None:
    def source() -> Iterator[Message]:
        yield message()
        yield message()
        raise SourceError

    async def asynchronous_source() -> AsyncIterator[Message]:
        for each in source():
            yield each

    async with open_bench() as bench:
        outcomes = bench.engine.submit_many(asynchronous_source() if asynchronous else source())
        states = [(await anext(outcomes)).state, (await anext(outcomes)).state]
        with pytest.raises(SourceError):
            await anext(outcomes)

    assert [DeliveryState.ACCEPTED] * 2 == states


async def test_leaving_early_leaves_nothing_behind(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    closed = trio.Event()

    async def source() -> AsyncIterator[Message]:
        try:
            while True:
                await trio.sleep(0.1)
                yield message()
        finally:
            closed.set()

    async with open_bench() as bench:
        async with aclosing(bench.engine.submit_many(source(), in_flight=2)) as outcomes:
            async for _ in outcomes:
                break
        await closed.wait()
        await trio.sleep(5)

        assert 0 == bench.engine.statistics().submissions
        # Its timers, its rounds, its evidence and its carrier.
        assert 4 == len(bench.engine.nursery.child_tasks)


async def test_leaving_early_while_the_source_waits_for_room_closes_it(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    closed = trio.Event()

    async def source() -> AsyncIterator[Message]:
        try:
            while True:
                yield message()
        finally:
            closed.set()

    async with (
        open_bench() as bench,
        aclosing(bench.engine.submit_many(source(), in_flight=2)) as outcomes,
    ):
        await anext(outcomes)
        await outcomes.aclose()
        await closed.wait()


async def test_nothing_in_flight_is_no_bound(open_bench: Make, message: Make) -> None:
    async with open_bench() as bench:
        with pytest.raises(ValueError, match="in_flight: 0, expected at least 1"):
            await anext(bench.engine.submit_many([message()], in_flight=0))


async def test_a_cancelled_caller_does_not_stop_his_message(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.SlowResponse(5.0)) as bench:
        with trio.move_on_after(1):
            await bench.engine.submit(message(message_ref="m-1"))
        await trio.sleep(10)
        record = bench.engine.ledger.message("m-1").message

    assert DeliveryState.DELIVERED is record.state
