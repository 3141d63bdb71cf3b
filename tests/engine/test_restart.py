"""What a crash leaves is found again: doubts at once, queued messages sent, receipts matched."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from whiteroute.engine.ledger import MemoryStore, open_ledger_for_reading
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    DeliveryState,
    MessageTaken,
    TextOptions,
)
from whiteroute.engine.service import ReceiptEvent
from whiteroute.pdu import split_udh
from whiteroute.simulators import Handsets, MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]

TAKEN_AT = 1_795_345_200_000_000  # an hour before the virtual noon
LONG = "hello " * 40


def taken(message_ref: str = "m-1", **fields: Any) -> MessageTaken:
    facts: dict[str, Any] = {
        "to": "34600111222",
        "sender": "ACME",
        "text": "hello",
        "taken_at": TAKEN_AT,
        "route": "acme-es",
        "carrier": "acme",
    }
    return MessageTaken(message_ref=message_ref, **(facts | fields))


def started(message_ref: str = "m-1", part: int = 1, attempt: int = 1) -> AttemptStarted:
    return AttemptStarted(
        message_ref=message_ref,
        part=part,
        attempt=attempt,
        carrier="acme",
        route="acme-es",
        started_at=TAKEN_AT + attempt,
    )


def ended(message_ref: str = "m-1", part: int = 1, attempt: int = 1, **fields: Any) -> AttemptEnded:
    return AttemptEnded(
        message_ref=message_ref, part=part, attempt=attempt, ended_at=TAKEN_AT + 9, **fields
    )


@pytest.fixture
def left() -> Callable[..., MemoryStore]:
    """Make a ledger as an engine left it that is no more."""

    def make(*entries: Any) -> MemoryStore:
        store = MemoryStore()
        store.write(entries)
        store.close()
        return store

    return make


async def test_an_attempt_without_an_outcome_is_in_doubt_and_not_sent_again(
    autojump_clock: Any, open_bench: Make, left: Make, message: Make
) -> None:
    async with open_bench(ledger=left(taken(), started()), bound=False) as bench:
        assert DeliveryState.IN_DOUBT is bench.engine.ledger.message("m-1").message.state
        assert ["m-1"] == [doubt.message_ref for doubt in bench.engine.ledger.recovered]
        await bench.engine.wait_bound(5)
        again = await bench.engine.submit(message(message_ref="m-1"))
        await trio.sleep(100)

        assert 0 == len(bench.center.submitted)
    assert (DeliveryState.IN_DOUBT, True) == (again.state, again.known)


async def test_allow_sends_again_what_a_crash_left_in_doubt(
    autojump_clock: Any, open_bench: Make, left: Make
) -> None:
    doubted = left(
        taken(duplicate_policy="allow"),
        started(),
        taken("m-2", duplicate_policy="allow"),
        started("m-2"),
        ended("m-2", outcome=AttemptOutcome.IN_DOUBT),  # that one was told to its caller
    )
    async with open_bench(ledger=doubted) as bench:
        await trio.sleep(5)
        histories = [bench.engine.ledger.message(ref) for ref in ("m-1", "m-2")]

        assert 1 == len(bench.center.submitted)
    assert [DeliveryState.DELIVERED, DeliveryState.IN_DOUBT] == [
        history.message.state for history in histories
    ]
    assert [1, 2] == [attempt.started.attempt for attempt in histories[0].attempts]


async def test_what_was_taken_and_never_tried_is_sent(
    autojump_clock: Any, open_bench: Make, left: Make, message: Make
) -> None:
    async with open_bench(ledger=left(taken(), taken("m-2")), bound=False) as bench:
        joined = await bench.engine.submit(message(message_ref="m-1"))
        await bench.engine.wait_receipts(5)

        assert 2 == len(bench.center.submitted)
        assert 0 == bench.engine.statistics().submissions
    assert (DeliveryState.ACCEPTED, True) == (joined.state, joined.known)


async def test_parts_sent_before_and_after_a_restart_join(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    store = MemoryStore()
    center = MessageCenter()
    async with open_bench(center=center, ledger=store, tps=1.0) as bench:
        with trio.move_on_after(0.5):
            await bench.engine.submit(message(text=LONG, message_ref="m-1"))
    async with open_bench(center=center, ledger=store) as bench:
        await trio.sleep(5)
        state = bench.engine.ledger.message("m-1").message.state

    first, second = center.submitted.expect(times=2)
    one, two = (split_udh(part.request.short_message)[0].octets for part in (first, second))
    # Length, element, its length, reference, total and number.
    assert (one[:5], 1, 2, 2) == (two[:5], one[5], two[5], one[4])
    assert DeliveryState.DELIVERED is state


async def test_parts_that_were_refused_for_now_are_tried_again_after_a_restart(
    autojump_clock: Any, open_bench: Make, left: Make
) -> None:
    queued = left(
        taken(part_count=2, text=LONG),
        started(part=1),
        started(part=2),
        ended(part=1, outcome=AttemptOutcome.ACCEPTED, message_id="7", message_id_key="7"),
        ended(part=2, outcome=AttemptOutcome.REFUSED, retrying=True),
    )
    async with open_bench(ledger=queued) as bench:
        await trio.sleep(5)
        attempts = bench.engine.ledger.message("m-1").attempts

        assert 1 == len(bench.center.submitted)
    assert [(1, 1), (2, 1), (2, 2)] == sorted(
        (line.started.part, line.started.attempt) for line in attempts
    )


async def test_what_has_become_worthless_is_not_sent(
    autojump_clock: Any, open_bench: Make, left: Make
) -> None:
    old = left(taken(valid_until_at=TAKEN_AT - 1), taken("m-2", valid_until_at=TAKEN_AT + 10**12))
    async with open_bench(ledger=old) as bench:
        await trio.sleep(5)
        records = [bench.engine.ledger.message(ref).message for ref in ("m-1", "m-2")]

        assert 1 == len(bench.center.submitted)
    assert [DeliveryState.EXPIRED, DeliveryState.DELIVERED] == [each.state for each in records]


async def test_a_message_that_no_route_takes_any_more_is_refused(
    autojump_clock: Any, open_bench: Make, left: Make
) -> None:
    async with open_bench(ledger=left(taken()), routes=()) as bench:
        await trio.sleep(1)
        record = bench.engine.ledger.message("m-1").message

        assert 0 == len(bench.center.submitted)
    assert (DeliveryState.REFUSED, "NO_ROUTE") == (record.state, record.error_code)


async def test_a_message_may_take_another_road_if_no_part_has_left(
    autojump_clock: Any, open_bench: Make, left: Make, route: Make
) -> None:
    entries = [taken(), taken("m-2"), started("m-2"), taken("m-3", part_count=2, text=LONG)]
    entries.append(ended("m-2", outcome=AttemptOutcome.REFUSED, retrying=True))
    entries += [started("m-3"), ended("m-3", outcome=AttemptOutcome.ACCEPTED)]
    async with open_bench(ledger=left(*entries), routes=[route(id="acme-new")]) as bench:
        await trio.sleep(5)
        records = [bench.engine.ledger.message(ref).message for ref in ("m-1", "m-2", "m-3")]

    assert [DeliveryState.DELIVERED, DeliveryState.DELIVERED, DeliveryState.FAILED] == [
        each.state for each in records
    ]
    assert ["acme-new", "acme-new", "acme-es"] == [each.route for each in records]
    assert "acme-new" == json.loads(records[0].decision)["chosen"]


async def test_a_message_that_would_be_cut_differently_now_is_refused(
    autojump_clock: Any, open_bench: Make, left: Make, profile: Make
) -> None:
    payload = profile(text=TextOptions(long_mode="payload"))
    entries = (taken(part_count=2, text=LONG), taken("m-2", text=LONG))
    async with open_bench(ledger=left(*entries), profile=payload) as bench:
        await trio.sleep(5)
        records = [bench.engine.ledger.message(ref).message for ref in ("m-1", "m-2")]

        assert 1 == len(bench.center.submitted)
    assert [DeliveryState.REFUSED, DeliveryState.DELIVERED] == [each.state for each in records]


async def test_receipts_find_their_messages_after_a_restart_and_on_another_bind(
    autojump_clock: Any, open_bench: Make, message: Make, tmp_path: Path
) -> None:
    center = MessageCenter(handsets=Handsets(median_delay=300.0))
    path = tmp_path / "ledger.db"
    async with open_bench(center=center, ledger=path) as bench:
        await bench.engine.submit(message(message_ref="m-1", tags={"campaign": "autumn"}))
    async with open_bench(center=center, ledger=path, binds=2) as bench:
        events = bench.engine.events()
        await center.wait_for("receipt_acknowledged")
        (receipt,) = bench.engine.ledger.message("m-1").receipts
    told = [event async for event in events if isinstance(event, ReceiptEvent)]

    assert 1 == len(told)
    assert ("m-1", DeliveryState.DELIVERED, {"campaign": "autumn"}) == (
        told[0].message_ref,
        told[0].state,
        told[0].tags,
    )
    assert receipt.receipt.link.startswith("acme/")


async def test_a_ref_of_before_the_restart_is_not_sent_again(
    autojump_clock: Any, open_bench: Make, message: Make, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    center = MessageCenter()
    for _ in range(3):
        async with open_bench(center=center, ledger=path) as bench:
            outcome = await bench.engine.submit(message(message_ref="m-1"))
            await bench.engine.wait_receipts(5)

    assert 1 == len(center.submitted)
    assert (DeliveryState.DELIVERED, True) == (outcome.state, outcome.known)


# How an engine ends.


async def test_what_is_queued_at_the_end_is_told_as_queued_and_sent_next_time(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    store = MemoryStore()
    center = MessageCenter(behaviours=(behaviours.SlowResponse(2.0),))
    outcomes: list[Any] = []
    async with (
        trio.open_nursery() as nursery,
        open_bench(center=center, ledger=store, window=2) as bench,
    ):

        async def submit() -> None:
            messages = [message(message_ref=f"m-{number}") for number in range(5)]
            outcomes.extend([each async for each in bench.engine.submit_many(messages)])

        nursery.start_soon(submit)
        await center.wait_for("submit", times=2)

    states = [outcome.state for outcome in outcomes]
    assert [DeliveryState.ACCEPTED] * 2 + [DeliveryState.QUEUED] * 3 == states
    async with open_bench(center=center, ledger=store) as bench:
        await center.wait_for("submit", times=5)
        await trio.sleep(5)

    assert 5 == len(center.submitted)


async def test_a_cancelled_engine_waits_for_its_answers_all_the_same(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    store = MemoryStore()
    center = MessageCenter(behaviours=(behaviours.SlowResponse(3.0),))
    begun = trio.current_time()
    async with open_message_center(center):
        with trio.move_on_after(1):
            async with open_bench(center=center, ledger=store) as bench:
                await bench.engine.submit(message(message_ref="m-1"))

        history = store.open_reader().message("m-1")
        assert 3 <= trio.current_time() - begun < 6
    assert DeliveryState.DELIVERED is history.message.state
    assert 1 == len([event for event in center.events() if event.event == "unbind"])


async def test_a_cancelled_engine_whose_peer_says_nothing_ends_in_bounded_time(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    store = MemoryStore()
    begun = trio.current_time()
    with trio.move_on_after(1):
        async with open_by_hand(store) as engine, trio.open_nursery() as nursery:
            await raw.accept_bind()
            nursery.start_soon(engine.submit, message(message_ref="m-1"))
            await trio.sleep_forever()

    assert 10 <= trio.current_time() - begun < 18
    assert DeliveryState.IN_DOUBT is store.open_reader().message("m-1").message.state


async def test_an_error_in_the_block_comes_out_and_nothing_is_lost(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    store = MemoryStore()

    async def fail() -> None:
        async with open_bench(behaviours.SlowResponse(3.0), ledger=store) as bench:
            with trio.move_on_after(1):
                await bench.engine.submit(message(message_ref="m-1"))
            raise KeyError("the application's own")

    with pytest.RaisesGroup(KeyError, flatten_subgroups=True):
        await fail()

    assert DeliveryState.DELIVERED is store.open_reader().message("m-1").message.state


KILLED = """
import os, signal, sys, trio
from whiteroute.engine.config import parse_config
from whiteroute.engine.messages import Message
from whiteroute.engine.service import open_engine

async def main():
    config = parse_config(sys.stdin.read(), folder=".")
    async with open_engine(config) as engine, trio.open_nursery() as nursery:
        await engine.wait_bound(10)
        nursery.start_soon(
            engine.submit, Message(to="+34600111222", sender="ACME", text="hello", message_ref="m-1")
        )
        await trio.sleep_forever()

trio.run(main)
"""

TOML = """
[engine]
ledger = "{ledger}"
[carriers.acme]
hosts = ["127.0.0.1:{port}"]
system_id = "gateway"
[numbering]
"34600" = "214-07"
[routes.acme-es]
carrier = "acme"
networks = ["214-07"]
traffic_classes = ["otp", "transactional", "marketing"]
interconnect = {{ kind = "DIRECT_MNO", hops = 0 }}
agreement = {{ id = "A-1", kind = "BILATERAL_A2P", counterparty = "214-07", valid_from = 2020-01-01, valid_to = 2099-12-31, attested_by = "ops@example.com", attested_at = 2020-11-01, max_attestation_age_days = 100000 }}
sender = {{ kinds = ["ALPHA", "LONG"], preserved = true, registered = ["ACME"] }}
price = {{ amount = "0.030", currency = "EUR", floor = "0.020" }}
[policy]
max_attestation_age_days = 100000
"""


async def test_a_killed_engine_leaves_its_attempt_in_doubt(
    raw: Any, tmp_path: Path, open_by_hand: Make
) -> None:
    """SIGKILL, once the submit_sm has arrived and before it is answered."""
    path = tmp_path / "ledger.db"
    toml = TOML.format(ledger=path, port=raw.port)
    run = partial(
        trio.run_process, [sys.executable, "-c", KILLED], stdin=toml.encode(), check=False
    )
    async with trio.open_nursery() as nursery:
        process = await nursery.start(run)
        try:
            peer = await raw.accept_bind()
            assert await peer.receive() is not None
        finally:
            process.kill()

    reader = open_ledger_for_reading(path)
    assert DeliveryState.IN_DOUBT is reader.message("m-1").message.state
    reader.close()
    async with open_by_hand(path) as engine:
        assert ["m-1"] == [doubt.message_ref for doubt in engine.ledger.recovered]
        assert 0 == engine.statistics().submissions
        assert 0 == engine.statistics().carriers[0].queued
