"""Messages from handsets reach the application whole, at least once, and under one name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from whiteroute.engine.messages import InboundAcknowledged
from whiteroute.engine.service import InboundMessage
from whiteroute.pdu import DeliverSm, EsmClass, split_text

Make = Callable[..., Any]

LONG = "What is written here does not fit into one message, so it comes in several. " * 5


def from_handset(text: str, to: str = "4321", reference: int = 7) -> list[DeliverSm]:
    parts = split_text(text, reference=reference).parts
    return [
        DeliverSm(
            sequence_number=number,
            source_addr="34600111222",
            destination_addr=to,
            esm_class=EsmClass.UDHI if len(parts) > 1 else 0,
            data_coding=part.data_coding,
            short_message=part.short_message,
        )
        for number, part in enumerate(parts, 1)
    ]


async def told_to(events: Any, within: float = 1.0) -> list[InboundMessage]:
    """Give what comes within some seconds."""
    told: list[InboundMessage] = []
    with trio.move_on_after(within):
        while True:
            event = await anext(events)
            told += [event] if isinstance(event, InboundMessage) else []
    return told


async def deliver(peer: Any, pdu: DeliverSm) -> None:
    await peer.send(pdu)
    assert 0 == (await peer.receive()).command_status


async def test_segments_that_come_on_different_binds_are_told_as_one_message(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    first, second, third = from_handset(LONG)
    async with open_by_hand(binds=2) as engine:
        peers = [await raw.accept_bind(), await raw.accept_bind()]
        events = engine.events()
        await deliver(peers[0], third)
        await deliver(peers[1], first)
        await deliver(peers[0], first)
        assert [] == await told_to(events)
        await deliver(peers[1], second)
        (message,) = await told_to(events)

    assert (LONG, 3, ()) == (message.text, message.parts, message.missing)
    assert ("acme", "34600111222", "4321") == (
        message.carrier,
        message.source_addr,
        message.destination_addr,
    )


async def test_what_misses_a_segment_is_told_after_ten_minutes(
    autojump_clock: Any, open_by_hand: Make, raw: Any, profile: Make
) -> None:
    first, _, third = from_handset(LONG)
    async with open_by_hand(profile=profile(enquire_link_interval=9000.0)) as engine:
        peer = await raw.accept_bind()
        events = engine.events()
        await deliver(peer, first)
        await trio.sleep(300)
        await deliver(peer, third)
        assert [] == await told_to(events, 299)
        (message,) = await told_to(events, 40)

    assert (2,) == message.missing
    assert message.text.startswith(LONG[:100])
    assert message.text.endswith(LONG[-20:])


async def test_a_reply_names_the_message_that_it_answers(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        peer = await raw.accept_bind()
        events = engine.events()
        nursery.start_soon(engine.submit, message(message_ref="m-1", sender="4321"))
        await peer.receive()
        (pdu,) = from_handset("STOP")
        await deliver(peer, pdu)
        (reply,) = await told_to(events)
        nursery.cancel_scope.cancel()

    assert ("STOP", "m-1") == (reply.text, reply.reply_to)


@pytest.mark.parametrize("listening", [True, False])
async def test_a_message_is_told_again_by_each_engine_until_it_is_acknowledged(
    autojump_clock: Any, open_by_hand: Make, raw: Any, tmp_path: Path, listening: bool
) -> None:
    path = tmp_path / "ledger.db"
    refs = []
    async with open_by_hand(path) as engine:
        peer = await raw.accept_bind()
        events = engine.events() if listening else None
        (pdu,) = from_handset("STOP")
        await deliver(peer, pdu)
        if events is not None:
            refs += [message.inbound_ref for message in await told_to(events, 120)]
    for turn in range(3):
        async with open_by_hand(path) as engine:
            await raw.accept_bind()
            messages = await told_to(engine.events(), 120)
            refs += [message.inbound_ref for message in messages]
            if turn == 1:
                for each in messages:
                    each.ack()
                    each.ack()

    # Once in each run, and never after it was acknowledged.
    assert 2 + listening == len(refs)
    assert 1 == len(set(refs))


async def test_what_came_while_nobody_listened_is_told_to_who_listens_later(
    autojump_clock: Any, open_by_hand: Make, raw: Any, profile: Make
) -> None:
    async with open_by_hand(profile=profile(enquire_link_interval=9000.0)) as engine:
        peer = await raw.accept_bind()
        for text in ("one", "two"):
            (pdu,) = from_handset(text)
            await deliver(peer, pdu)
        await trio.sleep(100)
        events = engine.events()
        (pdu,) = from_handset("three")
        await deliver(peer, pdu)
        messages = await told_to(events, 200)

    assert ["one", "three", "two"] == sorted(message.text for message in messages)


async def test_what_was_acknowledged_is_not_told_again_in_the_same_run(
    autojump_clock: Any, open_by_hand: Make, raw: Any, store: Any
) -> None:
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        events = engine.events()
        (pdu,) = from_handset("STOP")
        await deliver(peer, pdu)
        (message,) = await told_to(events)
        message.ack()
        assert [] == await told_to(engine.events(), 100)

    assert 1 == len(store.of(InboundAcknowledged))


async def test_an_acknowledgement_insists_while_the_ledger_cannot_write(
    autojump_clock: Any, open_by_hand: Make, raw: Any, store: Any
) -> None:
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        events = engine.events()
        (pdu,) = from_handset("STOP")
        await deliver(peer, pdu)
        (message,) = await told_to(events)
        store.refuses = (InboundAcknowledged,)
        message.ack()
        await trio.sleep(10)
        store.refuses = ()
        await trio.sleep(5)
        (record,) = engine.ledger.reader.conversations()

    assert None is not record.acknowledged_at


def test_a_message_made_by_hand_can_be_acknowledged_too() -> None:
    InboundMessage(
        inbound_ref="i", carrier="acme", source_addr="1", destination_addr="2", text="x", at=1
    ).ack()
