"""Receipts find their messages, whichever way the carrier writes ids, repeats or contradicts itself."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from whiteroute.engine.config import load_profiles
from whiteroute.engine.messages import Canonical, DeliveryState, ReceiptVerdict
from whiteroute.engine.service import InboundMessage, ReceiptEvent
from whiteroute.pdu import (
    AlertNotification,
    CancelSm,
    CommandStatus,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    GenericNack,
    MessageState,
    SubmitSm,
    SubmitSmResp,
    make_tlvs,
)
from whiteroute.simulators import Handset, Handsets, MessageCenter, behaviours

Make = Callable[..., Any]


def a_receipt(message_id: str, number: int, stat: str = "DELIVRD", err: str = "000") -> DeliverSm:
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201"
        f" stat:{stat} err:{err} text:"
    )
    return DeliverSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=4,
        short_message=text.encode(),
        sequence_number=number,
    )


async def heard(events: Any) -> list[ReceiptEvent]:
    """Everything about receipts that a listener was told, now that its engine is closed."""
    return [event async for event in events if isinstance(event, ReceiptEvent)]


async def test_a_receipt_event_says_everything(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    handsets = Handsets(
        rules=(Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="001", delay=7.0),)
    )
    async with open_bench(center=MessageCenter(handsets=handsets)) as bench:
        events = bench.engine.events()
        outcome = await bench.engine.submit(message(message_ref="m-1", tags={"a": "b"}))
        assert 0 == await bench.engine.wait_receipts(60)
    (event,) = await heard(events)

    assert ("m-1", 1, 1, "34600111222") == (event.message_ref, event.part, event.parts, event.to)
    assert (DeliveryState.FAILED, DeliveryState.FAILED) == (event.state, event.part_state)
    assert ("acme", "acme-es", outcome.message_ids[0]) == (
        event.carrier,
        event.route,
        event.message_id,
    )
    assert ("UNDELIV", "001", {"a": "b"}) == (event.stat, event.err, event.tags)
    assert Canonical.NONE is not event.error.canonical
    assert event.latency == pytest.approx(7.0, abs=0.1)
    assert not event.conflicting
    assert "34600111222" not in repr(event)


@pytest.mark.parametrize(
    ("behaviour", "profile_name"),
    [
        (behaviours.HexMessageIdInReceipt(), "dec-resp-hex-receipt"),
        (behaviours.DecimalReceiptOfHexId(), "hex-resp-dec-receipt"),
        (behaviours.HexMessageId(), "generic-3.4"),
    ],
)
async def test_ids_in_two_spellings_meet_by_the_profile(
    autojump_clock: Any,
    open_bench: Make,
    message: Make,
    behaviour: behaviours.Behaviour,
    profile_name: str,
) -> None:
    async with open_bench(behaviour, profile=load_profiles()[profile_name]) as bench:
        await bench.engine.submit(message(message_ref="m-1"))
        await bench.center.wait_for("receipt_acknowledged")

        assert DeliveryState.DELIVERED is bench.engine.ledger.message("m-1").message.state


async def test_ids_in_two_spellings_do_not_meet_under_the_wrong_profile(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.HexMessageIdInReceipt()) as bench:
        await bench.engine.submit(message(message_ref="m-1"))
        await bench.center.wait_for("receipt_acknowledged")
        assert DeliveryState.ACCEPTED is bench.engine.ledger.message("m-1").message.state
        assert 1 == await bench.engine.wait_receipts(3)
        (receipt,) = bench.engine.ledger.reader.receipts()

    assert ReceiptVerdict.PARKED is receipt.verdict


async def test_a_receipt_ahead_of_the_response_is_told_with_it(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.ReceiptBeforeResponse(lead=2.0)) as bench:
        events = bench.engine.events()
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        history = bench.engine.ledger.message("m-1")
    (event,) = await heard(events)

    assert DeliveryState.ACCEPTED is outcome.state
    assert DeliveryState.DELIVERED is history.message.state is event.state
    assert [True] == [line.before_response for line in history.receipts]


async def test_a_repeated_receipt_is_acknowledged_and_told_once(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.DuplicateReceipt(times=3)) as bench:
        events = bench.engine.events()
        await bench.engine.submit(message(message_ref="m-1"))
        await bench.center.wait_for("receipt_acknowledged", times=3)
        history = bench.engine.ledger.message("m-1")

    assert 1 == len(await heard(events))
    assert 1 == len(history.receipts)


async def test_a_conflicting_receipt_is_flagged_and_the_first_one_stands(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        events = engine.events()
        peer = await raw.accept_bind()
        nursery.start_soon(engine.submit, message(message_ref="m-1"))
        request = await peer.receive()
        assert isinstance(request, SubmitSm)
        await peer.send(
            SubmitSmResp(message_id="77", sequence_number=request.sequence_number),
            a_receipt("77", 1),
            a_receipt("77", 2, stat="UNDELIV", err="001"),
        )
        answers = [await peer.receive(), await peer.receive()]
        history = engine.ledger.message("m-1")
        nursery.cancel_scope.cancel()
    first, second = await heard(events)

    assert [0, 0] == [answer.command_status for answer in answers if answer is not None]
    assert DeliveryState.DELIVERED is history.message.state
    assert (False, DeliveryState.DELIVERED) == (first.conflicting, first.state)
    assert (True, DeliveryState.DELIVERED, DeliveryState.FAILED) == (
        second.conflicting,
        second.state,
        second.part_state,
    )
    assert ReceiptVerdict.CONFLICTING is history.receipts[1].verdict


async def test_one_number_for_several_requests_is_answered_several_times(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        await peer.send(a_receipt("1", 5), a_receipt("2", 5), a_receipt("3", 5))
        answers = [await peer.receive() for _ in range(3)]
        assert engine.carriers["acme"].is_bound

    assert [(5, 0)] * 3 == [(each.sequence_number, each.command_status) for each in answers]


async def test_a_receipt_on_a_link_that_is_gone_by_then_is_kept(
    autojump_clock: Any, open_by_hand: Make, raw: Any, store: Any
) -> None:
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        await peer.send(a_receipt("1", 5))
        await peer.aclose()
        await trio.sleep(0.2)
        assert 1 == len(list(engine.ledger.reader.receipts()))


async def test_receipts_as_data_sm_are_answered_as_such(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        tlvs = make_tlvs(receipted_message_id="77", message_state=2)
        await peer.send(
            DataSm(
                source_addr="34600111222",
                destination_addr="ACME",
                esm_class=4,
                tlvs=tlvs,
                sequence_number=9,
            )
        )
        answer = await peer.receive()
        (receipt,) = engine.ledger.reader.receipts()

    assert isinstance(answer, DataSmResp)
    assert (9, 0) == (answer.sequence_number, answer.command_status)
    assert "77" == receipt.receipt.message_id


async def test_another_operation_is_refused_and_harms_nothing(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        await peer.send(CancelSm(message_id="1", sequence_number=3), a_receipt("1", 4))
        refused, answered = await peer.receive(), await peer.receive()
        assert engine.carriers["acme"].is_bound

    assert refused is not None
    assert (3, False) == (refused.sequence_number, refused.command_status == CommandStatus.ESME_ROK)
    assert isinstance(answered, DeliverSmResp)


async def test_an_alert_needs_no_answer(autojump_clock: Any, open_by_hand: Make, raw: Any) -> None:
    async with open_by_hand():
        peer = await raw.accept_bind()
        await peer.send(AlertNotification(source_addr="1", sequence_number=3), a_receipt("1", 4))
        answer = await peer.receive()

    assert isinstance(answer, DeliverSmResp)
    assert 4 == answer.sequence_number


async def test_segments_of_a_text_from_a_handset_are_kept_one_by_one_and_told_as_one(
    autojump_clock: Any, open_bench: Make
) -> None:
    async with open_bench() as bench:
        events = bench.engine.events()
        parts = bench.center.inject_mo("+34600111222", "12345", "word " * 60)
        await bench.center.wait_for("mo_acknowledged", times=parts)
        inbound = list(bench.engine.ledger.reader.inbound())
    texts = [event.text async for event in events if isinstance(event, InboundMessage)]

    assert ["word " * 60] == texts
    assert 2 == parts == len(inbound)


async def test_a_late_nack_is_no_acceptance(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make, profile: Make
) -> None:
    settings = profile(response_timeout=5.0, enquire_link_interval=1000.0)
    async with open_by_hand(profile=settings) as engine:
        peer = await raw.accept_bind()
        outcomes: list[Any] = []

        async def submit() -> None:
            outcomes.append(await engine.submit(message(message_ref="m-1")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            request = await peer.receive()
        assert request is not None
        await peer.send(GenericNack(command_status=0, sequence_number=request.sequence_number))
        await trio.sleep(1)
        record = engine.ledger.message("m-1").message

    assert [DeliveryState.IN_DOUBT] == [outcome.state for outcome in outcomes]
    assert DeliveryState.ACCEPTED is not record.state
