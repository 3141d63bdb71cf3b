"""A message_ref is sent once, whenever and however often it is handed over."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from whiteroute.engine.messages import (
    Canonical,
    DeliveryState,
    Outcome,
)
from whiteroute.pdu import CommandStatus
from whiteroute.routing import NoDirectRouteError
from whiteroute.simulators import behaviours

Make = Callable[..., Any]


async def test_a_ref_that_is_under_way_is_sent_once_and_told_twice(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    outcomes: list[Outcome] = []
    async with open_bench(behaviours.SlowResponse(1.0)) as bench:

        async def submit() -> None:
            outcomes.append(await bench.engine.submit(message(message_ref="m-1")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            nursery.start_soon(submit)

        assert 1 == len(bench.center.submitted)
    assert [DeliveryState.ACCEPTED] * 2 == [outcome.state for outcome in outcomes]
    assert [False, True] == sorted(outcome.known for outcome in outcomes)


async def test_a_ref_twice_in_one_batch_is_sent_once(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        outcomes = [
            outcome
            async for outcome in bench.engine.submit_many(
                [message(message_ref="m-1"), message(message_ref="m-1")]
            )
        ]

        assert 1 == len(bench.center.submitted)
    assert [False, True] == [outcome.known for outcome in outcomes]


async def test_a_ref_that_is_done_is_told_as_the_ledger_has_it(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        first = await bench.engine.submit(message(message_ref="m-1"))
        await bench.engine.wait_receipts(5)
        again = await bench.engine.submit(message(message_ref="m-1", text="other"))

        assert 1 == len(bench.center.submitted)
    assert (DeliveryState.DELIVERED, True) == (again.state, again.known)
    assert (first.message_ids, first.route, 1) == (again.message_ids, again.route, again.parts)
    assert again.error is None


async def test_a_ref_that_was_refused_is_told_with_its_error(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    refusing = behaviours.RefuseSubmits(CommandStatus.ESME_RINVSRCADR)
    async with open_bench(refusing) as bench:
        await bench.engine.submit(message(message_ref="m-1"))
        with pytest.raises(NoDirectRouteError):
            await bench.engine.submit(message(to="+44700111222", message_ref="m-2"))
        refused = await bench.engine.submit(message(message_ref="m-1"))
        unroutable = await bench.engine.submit(message(message_ref="m-2"))

        assert 1 == len(bench.center.submitted)
    assert Canonical.SENDER_REJECTED is refused.error.canonical
    assert (DeliveryState.REFUSED, Canonical.NO_ROUTE) == (
        unroutable.state,
        unroutable.error.canonical,
    )
