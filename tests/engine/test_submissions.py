"""What comes of messages: accepted, refused, in doubt, expired, tried again; each ends."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from whiteroute.engine.messages import (
    Canonical,
    DeliveryState,
)
from whiteroute.pdu import CommandStatus
from whiteroute.simulators import behaviours

Make = Callable[..., Any]


async def test_an_accepted_message_has_the_carriers_ids(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        outcome = await bench.engine.submit(message(text="hello " * 40, message_ref="m-1"))
        submitted = bench.center.submitted.expect(times=2)

    assert (DeliveryState.ACCEPTED, "acme-es", "acme", 2) == (
        outcome.state,
        outcome.route,
        outcome.carrier,
        outcome.parts,
    )
    assert tuple(part.message_id for part in submitted) == outcome.message_ids
    assert not outcome.known


async def test_a_message_without_a_ref_gets_one(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        one = await bench.engine.submit(message())
        other = await bench.engine.submit(message())

    assert one.message_ref
    assert one.message_ref != other.message_ref


async def test_a_refusal_is_an_outcome_with_its_rule(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    refusing = behaviours.RefuseSubmits(CommandStatus.ESME_RINVSRCADR)
    async with open_bench(refusing) as bench:
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        history = bench.engine.ledger.message("m-1")

    assert DeliveryState.REFUSED is outcome.state
    assert outcome.error is not None
    assert Canonical.SENDER_REJECTED is outcome.error.canonical
    (attempt,) = history.attempts
    assert CommandStatus.ESME_RINVSRCADR == attempt.ended.command_status
    assert outcome.error.rule == attempt.ended.error.rule != ""


async def test_a_message_of_which_one_part_is_refused_has_failed(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    refusing = behaviours.RefuseSubmits(CommandStatus.ESME_RINVSRCADR, times=1)
    async with open_bench(refusing) as bench:
        outcome = await bench.engine.submit(message(text="hello " * 40))

    assert DeliveryState.FAILED is outcome.state
    assert "" == outcome.message_ids[0]
    assert "" != outcome.message_ids[1]
    assert Canonical.SENDER_REJECTED is outcome.error.canonical


@pytest.mark.parametrize("to", ["+34", "nobody", ""])
async def test_a_number_that_is_none_is_an_outcome(
    autojump_clock: Any, open_bench: Make, message: Make, to: str
) -> None:
    canonical = Canonical.INVALID_DESTINATION
    async with open_bench() as bench:
        outcome = await bench.engine.submit(message(to=to, message_ref="m-1"))
        record = bench.engine.ledger.message("m-1").message

    assert (DeliveryState.REFUSED, canonical) == (outcome.state, outcome.error.canonical)
    assert canonical.value == record.error_code
    assert outcome.error.rule in record.decision.replace('\\"', '"')


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * 50_000},
        {"text": "\ud800"},
        {"sender": "Żółw"},
        {"sender": "x" * 30},
        {"sender": "a\0b"},
    ],
)
async def test_what_cannot_be_written_is_refused_and_hurts_nobody_else(
    autojump_clock: Any, open_bench: Make, message: Make, fields: dict[str, object]
) -> None:
    async with open_bench() as bench:
        outcomes = [
            outcome
            async for outcome in bench.engine.submit_many([message(), message(**fields), message()])
        ]

    states = sorted(outcome.state.value for outcome in outcomes)
    assert ["ACCEPTED", "ACCEPTED", "REFUSED"] == states
    (refused,) = (each for each in outcomes if each.state is DeliveryState.REFUSED)
    assert Canonical.PROTOCOL_ERROR is refused.error.canonical
    assert refused.error.rule.startswith("encoding: ")


@pytest.mark.parametrize("validity", [0, -3.5])
async def test_a_message_that_is_worthless_already_is_refused(
    autojump_clock: Any, open_bench: Make, message: Make, validity: float
) -> None:
    async with open_bench() as bench:
        outcome = await bench.engine.submit(message(validity=validity))

        assert 0 == len(bench.center.submitted)
    assert (DeliveryState.REFUSED, Canonical.EXPIRED) == (outcome.state, outcome.error.canonical)


async def test_a_message_expires_where_no_bind_comes_up(
    autojump_clock: Any, config: Make, open_by_hand: Make, message: Make
) -> None:
    async with open_by_hand() as engine:  # nobody accepts
        before = trio.current_time()
        outcome = await engine.submit(message(validity=90.0, message_ref="m-1"))
        waited = trio.current_time() - before
        record = engine.ledger.message("m-1").message

    assert (DeliveryState.EXPIRED, Canonical.EXPIRED) == (outcome.state, outcome.error.canonical)
    assert 90.0 <= waited <= 91.5
    assert (DeliveryState.EXPIRED, "EXPIRED") == (record.state, record.error_code)


async def test_a_message_that_is_throttled_for_too_long_expires(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.QueueFull()) as bench:
        outcome = await bench.engine.submit(message(validity=5.5))

    assert DeliveryState.EXPIRED is outcome.state


@pytest.mark.parametrize(
    "behaviour",
    [
        behaviours.RefuseSubmits(CommandStatus.ESME_RTHROTTLED, times=3),
        behaviours.RefuseSubmits(CommandStatus.ESME_RMSGQFUL, times=3),
    ],
)
async def test_a_message_is_tried_again_when_the_carrier_has_no_room_now(
    autojump_clock: Any, open_bench: Make, message: Make, behaviour: behaviours.Behaviour
) -> None:
    async with open_bench(behaviour) as bench:
        before = trio.current_time()
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        waited = trio.current_time() - before
        attempts = bench.engine.ledger.message("m-1").attempts

    assert DeliveryState.ACCEPTED is outcome.state
    assert [1, 2, 3, 4] == [attempt.started.attempt for attempt in attempts]
    assert 3.0 <= waited < 4.0


async def test_a_carrier_that_always_throttles_is_given_up(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    throttling = behaviours.RefuseSubmits(CommandStatus.ESME_RTHROTTLED)
    async with open_bench(throttling) as bench:
        outcome = await bench.engine.submit(message())

        assert 21 == len(bench.center.submitted)
    assert (DeliveryState.REFUSED, Canonical.THROTTLED) == (
        outcome.state,
        outcome.error.canonical,
    )


async def test_silence_leaves_a_message_in_doubt(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    async with open_bench(
        behaviours.NoResponse(), behaviours.NoReceipt(), profile=profile(response_timeout=30.0)
    ) as bench:
        before = trio.current_time()
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        waited = trio.current_time() - before
        (doubt,) = bench.engine.ledger.reader.doubts()

        assert 1 == len(bench.center.submitted)
    assert (DeliveryState.IN_DOUBT, None) == (outcome.state, outcome.error)
    assert 30.0 <= waited < 31.0
    assert "m-1" == doubt.message_ref


async def test_a_lost_link_leaves_messages_in_doubt(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.NoResponse(), behaviours.CloseAfter(3), window=3) as bench:
        outcomes = [
            outcome async for outcome in bench.engine.submit_many(message() for _ in range(3))
        ]

    assert [DeliveryState.IN_DOUBT] * 3 == [outcome.state for outcome in outcomes]


async def test_a_late_response_ends_the_doubt(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    async with open_bench(
        behaviours.SlowResponse(40.0), profile=profile(response_timeout=30.0)
    ) as bench:
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        doubted = bench.engine.ledger.message("m-1").message.state
        await trio.sleep(20)
        history = bench.engine.ledger.message("m-1")

    assert DeliveryState.IN_DOUBT is outcome.state is doubted
    # The receipt came before the response, waited, and found its message by it.
    assert DeliveryState.DELIVERED is history.message.state
    assert [True] == [receipt.before_response for receipt in history.receipts]


async def test_a_late_refusal_is_adopted_and_not_tried_again(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    async with open_bench(
        behaviours.RefuseSubmits(CommandStatus.ESME_RTHROTTLED),
        behaviours.SlowResponse(40.0),
        profile=profile(response_timeout=30.0),
    ) as bench:
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        await trio.sleep(100)
        record = bench.engine.ledger.message("m-1").message

        assert 1 == len(bench.center.submitted)
    assert DeliveryState.IN_DOUBT is outcome.state
    assert (DeliveryState.REFUSED, "THROTTLED") == (record.state, record.error_code)


async def test_a_late_answer_counts_while_other_parts_are_under_way(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    async with open_bench(
        behaviours.SlowResponse(40.0), window=1, profile=profile(response_timeout=30.0)
    ) as bench:
        outcome = await bench.engine.submit(message(text="hello " * 40))

    # The first part's answer comes while the second one is waited for.
    assert DeliveryState.IN_DOUBT is outcome.state
    assert ["", ""] != list(outcome.message_ids)
    assert "" == outcome.message_ids[1]


async def test_allow_sends_again_what_may_have_been_lost(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.NoResponse(), behaviours.CloseAfter(1)) as bench:
        with trio.move_on_after(0.2):
            await bench.engine.submit(message(message_ref="m-1", duplicate_policy="allow"))
        bench.center.behaviours = ()
        await bench.center.wait_for("submit", times=2)
        await trio.sleep(1)
        history = bench.engine.ledger.message("m-1")

    assert DeliveryState.DELIVERED is history.message.state
    assert [1, 2] == [attempt.started.attempt for attempt in history.attempts]
    assert DeliveryState.IN_DOUBT is history.attempts[0].state


async def test_allow_does_not_text_somebody_for_ever(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.NoResponse()) as bench:
        outcome = await bench.engine.submit(message(duplicate_policy="allow"))

        assert 3 == len(bench.center.submitted)
    assert DeliveryState.IN_DOUBT is outcome.state


async def test_an_answer_that_comes_before_the_repetition_makes_it_needless(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    """It times out after 30 s, is answered after 40, and the pace lets none leave before 50."""
    async with open_bench(
        behaviours.SlowResponse(40.0), tps=0.02, profile=profile(response_timeout=30.0)
    ) as bench:
        outcome = await bench.engine.submit(message(message_ref="m-1", duplicate_policy="allow"))
        await trio.sleep(100)

        assert 1 == len(bench.center.submitted)
        assert 0 == bench.engine.statistics().carriers[0].queued
    assert DeliveryState.ACCEPTED is outcome.state
    assert "" != outcome.message_ids[0]


async def test_an_answer_that_comes_during_the_repetition_ends_the_wait(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    async with open_bench(
        behaviours.SlowResponse(40.0), profile=profile(response_timeout=30.0)
    ) as bench:
        before = trio.current_time()
        outcome = await bench.engine.submit(message(message_ref="m-1", duplicate_policy="allow"))
        waited = trio.current_time() - before
        await trio.sleep(200)
        attempts = bench.engine.ledger.message("m-1").attempts

        first, second = bench.center.submitted.expect(times=2)
    assert DeliveryState.ACCEPTED is outcome.state
    assert 40 <= waited < 41
    # Each answer was written down for the attempt that it was an answer to.
    assert [first.message_id, second.message_id] == [line.ended.message_id for line in attempts]
    assert [DeliveryState.DELIVERED] * 2 == [line.state for line in attempts]


async def test_an_empty_text_is_sent(autojump_clock: Any, open_bench: Make, message: Make) -> None:
    async with open_bench() as bench:
        outcome = await bench.engine.submit(message(text=""))

        bench.center.submitted.expect(text="")
    assert DeliveryState.ACCEPTED is outcome.state
