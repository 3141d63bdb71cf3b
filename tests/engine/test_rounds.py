"""Time alone settles what nobody answered: overdue messages, orphan receipts, missing segments."""

from collections.abc import Callable
from typing import Any

import trio

from whiteroute.engine.ledger import Selection
from whiteroute.engine.messages import (
    DeliveryState,
    ReceiptArrived,
    ReceiptVerdict,
    RunSeen,
    SubmitOptions,
)
from whiteroute.engine.service import OrphanReceipt, OverdueEvent, ReceiptEvent
from whiteroute.pdu import DeliverSm
from whiteroute.simulators import MessageCenter, behaviours

Make = Callable[..., Any]

HOUR = 3600.0
S = DeliveryState


async def test_a_message_without_a_receipt_is_overdue_an_hour_after_its_validity(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    center = MessageCenter(behaviours=[behaviours.NoReceipt()])
    async with open_bench(center=center) as bench:
        events = bench.engine.events()
        await bench.engine.submit(
            message(message_ref="m-1", validity=HOUR, tags={"campaign": "autumn"})
        )
        await trio.sleep(2 * HOUR - 60)
        before = bench.engine.ledger.message("m-1").message.state
        await trio.sleep(120)
        record = bench.engine.ledger.message("m-1").message
    told = [event async for event in events if isinstance(event, OverdueEvent)]

    assert (S.ACCEPTED, S.OVERDUE) == (before, record.state)
    (event,) = told
    assert ("m-1", S.OVERDUE, "acme", "acme-es", "214-07", {"campaign": "autumn"}) == (
        event.message_ref,
        event.state,
        event.carrier,
        event.route,
        event.network,
        event.tags,
    )
    assert (2 * HOUR * 1e6, record.due_at) == (event.due_at - event.taken_at, event.due_at)
    assert event.due_at <= event.at <= event.due_at + 31_000_000


async def test_without_a_validity_it_is_overdue_after_three_days_and_an_hour(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    center = MessageCenter(behaviours=[behaviours.NoReceipt()])
    async with open_bench(center=center) as bench:
        await bench.engine.submit(message(message_ref="m-1"))
        record = bench.engine.ledger.message("m-1").message

    assert 73 * HOUR * 1e6 == record.due_at - record.taken_at


async def test_a_late_receipt_still_settles_an_overdue_message(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    center = MessageCenter(behaviours=[behaviours.LateReceipt(4 * HOUR)])
    async with open_bench(center=center) as bench:
        events = bench.engine.events()
        await bench.engine.submit(message(message_ref="m-1", validity=HOUR))
        await trio.sleep(8 * HOUR)
    told = [event async for event in events if isinstance(event, OverdueEvent | ReceiptEvent)]

    assert [S.OVERDUE, S.DELIVERED] == [event.state for event in told]


async def test_a_doubt_that_nobody_settles_is_closed_and_told(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        events = engine.events()
        peer = await raw.accept_bind()
        nursery.start_soon(engine.submit, message(message_ref="m-1", validity=60.0))
        await peer.receive()
        await peer.aclose()
        await trio.sleep(HOUR + 120)
        nursery.cancel_scope.cancel()
    told = [event async for event in events if isinstance(event, OverdueEvent)]

    assert [("m-1", S.IN_DOUBT)] == [(event.message_ref, event.state) for event in told]


async def test_no_receipt_is_missed_that_was_not_asked_for(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    quiet = profile(submit=SubmitOptions(registered_delivery=0))
    async with open_bench(profile=quiet) as bench:
        await bench.engine.submit(message(message_ref="m-1", validity=60.0))
        await trio.sleep(2 * HOUR)
        record = bench.engine.ledger.message("m-1").message

    assert (S.ACCEPTED, None) == (record.state, record.due_at)


async def test_more_than_one_batch_is_closed_in_one_round(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    center = MessageCenter(behaviours=[behaviours.NoReceipt()])
    async with open_bench(center=center, window=100) as bench:
        events = bench.engine.events()
        messages = [message(message_ref=f"m-{number}", validity=60.0) for number in range(450)]
        _ = [outcome async for outcome in bench.engine.submit_many(messages)]
        await trio.sleep(HOUR + 100)
        left = bench.engine.ledger.reader.messages(Selection(state=S.ACCEPTED))
        assert [] == list(left)
    told = [event async for event in events if isinstance(event, OverdueEvent)]

    assert {f"m-{number}" for number in range(450)} == {event.message_ref for event in told}
    assert 450 == len(told)


async def test_a_round_that_cannot_write_leaves_it_to_the_next(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    center = MessageCenter(behaviours=[behaviours.NoReceipt()])
    async with open_bench(center=center) as bench:
        events = bench.engine.events()
        await bench.engine.submit(message(message_ref="m-1", validity=60.0))
        store.refuses = (object,)
        await trio.sleep(2 * HOUR)
        store.refuses = ()
        await trio.sleep(60)
    told = [event async for event in events if isinstance(event, OverdueEvent)]

    assert ["m-1"] == [event.message_ref for event in told]


async def test_the_ledger_knows_how_long_the_engine_lived(
    autojump_clock: Any, open_bench: Make, store: Any
) -> None:
    async with open_bench(ledger=store):
        begun = trio.current_time()
        await trio.sleep(100)
        ended = trio.current_time()
    (run,) = store.open_reader().runs()

    assert 5 <= len(store.of(RunSeen)) <= 6
    assert ended - begun - 1 <= (run.seen_at - run.started_at) / 1e6 <= ended - begun + 1


async def test_rounds_read_in_a_thread_unless_told_otherwise(
    config: Make, message: Make, tmp_path: Any
) -> None:
    """With a file, whose readers may not be shared between threads; under the real clock."""
    from whiteroute.engine.service import open_engine
    from whiteroute.simulators import open_message_center

    center = MessageCenter(behaviours=[behaviours.NoReceipt()])
    shift = 0

    def now_at() -> int:
        return 1_795_348_800_000_000 + shift

    path = tmp_path / "ledger.db"
    async with open_message_center(center):
        async with open_engine(config(center.port), ledger=path, now_at=now_at) as engine:
            await engine.wait_bound(10)
            await engine.submit(message(message_ref="m-1", validity=60.0))
        shift = 7_200_000_000
        async with open_engine(config(center.port), ledger=path, now_at=now_at) as engine:
            told = await anext(engine.events())
            while not isinstance(told, OverdueEvent):
                told = await anext(engine.events())

    assert "m-1" == told.message_ref


# Receipts whose message never came


def a_receipt(message_id: str, to: str = "34600111222", sender: str = "ACME") -> DeliverSm:
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201"
        " stat:DELIVRD err:000 text:hello"
    )
    return DeliverSm(
        sequence_number=7,
        source_addr=to,
        destination_addr=sender,
        esm_class=4,
        short_message=text.encode(),
    )


async def test_a_doubt_adopts_the_receipt_that_can_only_speak_of_it(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        events = engine.events()
        peer = await raw.accept_bind()
        nursery.start_soon(engine.submit, message(message_ref="m-1"))
        await peer.receive()
        await peer.send(a_receipt("77"))
        assert 0 == (await peer.receive()).command_status
        await trio.sleep(61)
        doubted = engine.ledger.message("m-1").message.state
        await trio.sleep(120)
        history = engine.ledger.message("m-1")
        nursery.cancel_scope.cancel()
    told = [event async for event in events if isinstance(event, ReceiptEvent | OrphanReceipt)]

    assert (S.IN_DOUBT, S.DELIVERED) == (doubted, history.message.state)
    assert [("m-1", S.DELIVERED)] == [(event.message_ref, event.state) for event in told]
    (attempt,) = history.attempts
    assert (True, "77") == (attempt.ended.adopted, attempt.ended.message_id)


async def test_a_receipt_that_could_speak_of_two_is_an_orphan_and_stays_in_the_ledger(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        events = engine.events()
        peer = await raw.accept_bind()
        for number in (1, 2):
            nursery.start_soon(engine.submit, message(message_ref=f"m-{number}"))
            await peer.receive()
        await peer.send(a_receipt("77"))
        await trio.sleep(300)
        states = {record.state for record in engine.ledger.reader.messages()}
        (record,) = engine.ledger.reader.receipts()
        nursery.cancel_scope.cancel()
    told = [event async for event in events if isinstance(event, OrphanReceipt)]

    assert {S.IN_DOUBT} == states
    assert ["77"] == [event.message_id for event in told]
    assert 120 <= (told[0].at - told[0].received_at) / 1e6 <= 151
    assert ReceiptVerdict.ORPHANED is record.verdict


async def test_receipts_of_another_system_are_told_once_each(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    async with open_by_hand() as engine:
        events = engine.events()
        peer = await raw.accept_bind()
        for message_id in ("77", "78", "77", ""):
            await peer.send(a_receipt(message_id, to="34600999888"))
            await peer.receive()
        await trio.sleep(600)
    told = [event async for event in events if isinstance(event, OrphanReceipt)]

    # One without an id waits for nothing.
    assert ["", "77", "78"] == [event.message_id for event in told]
    assert told[0].at == told[0].received_at
    assert "34600999888" not in repr(told)


async def test_more_orphans_than_one_batch_are_settled_in_one_round(
    autojump_clock: Any, open_bench: Make, store: Any
) -> None:
    store.inner.write(
        [
            ReceiptArrived(
                carrier="acme",
                message_id=f"{number}",
                message_id_key=f"{number}",
                received_at=1_795_345_200_000_000 + number,
            )
            for number in range(450)
        ]
    )
    async with open_bench() as bench:
        events = bench.engine.events()
        await trio.sleep(20)
    told = [event async for event in events if isinstance(event, OrphanReceipt)]

    assert 450 == len(told)
    orphans = store.open_reader().receipts(Selection(verdict=ReceiptVerdict.ORPHANED))
    assert 450 == len(list(orphans))
