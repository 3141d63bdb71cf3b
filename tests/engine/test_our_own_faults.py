"""A fault of ours ends one link and nothing else; what was learned outlives the engine."""

from collections.abc import Callable
from typing import Any

import trio

from whiteroute.engine.messages import RootCause
from whiteroute.engine.service import CeilingEvent, LinkEvent
from whiteroute.simulators import MessageCenter, behaviours

Make = Callable[..., Any]


async def test_an_exception_while_a_receipt_is_taken_ends_that_link_and_it_is_bound_again(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        events = bench.engine.events()
        inbound = bench.engine.carriers["acme"]
        taken = inbound.arrived

        def fail(*_arguments: object) -> None:
            inbound.arrived = taken
            raise ZeroDivisionError("a fault of ours")

        inbound.arrived = fail
        await bench.engine.submit(message(message_ref="m-1"))
        await trio.sleep(120)

        assert inbound.is_bound
        state = bench.engine.ledger.message("m-1").message.state.value
    told = [event async for event in events if isinstance(event, LinkEvent)]

    # Its receipt was not acknowledged, so it came again.
    assert "DELIVERED" == state
    (lost,) = [
        event for event in told if event.what == "lost" and "its owner failed" in event.cause
    ]
    assert "ZeroDivisionError" in lost.cause


async def test_an_outage_found_out_by_silence_began_with_the_last_sign_of_life(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.Silence(pdus=2)) as bench:
        await bench.center.wait_for("bind")
        began_at = bench.engine.now_at()
        await trio.sleep(600)
        (outage, *_) = bench.engine.ledger.reader.outages("acme")

    # The bind's answer, or the one to the first enquire_link, was the last that came.
    assert outage.root_cause is RootCause.SILENCE
    assert 0 <= outage.began_at - began_at < 40_000_000


async def test_what_a_carrier_bears_is_told_and_known_to_the_next_engine(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    center = MessageCenter(behaviours=[behaviours.Throttle(20)])
    async with open_bench(center=center, tps=100.0) as bench:
        events = bench.engine.events()
        messages = [message(message_ref=f"m-{number}") for number in range(600)]
        _ = [outcome async for outcome in bench.engine.submit_many(messages)]
        believed = bench.engine.carriers["acme"].statistics().ceiling
    told = [event async for event in events if isinstance(event, CeilingEvent)]

    assert believed is not None
    assert "lowered" == told[0].change.what
    async with open_bench(center=MessageCenter(), tps=100.0) as bench:
        again = bench.engine.carriers["acme"].statistics().ceiling
    assert believed == again
