"""An engine whose ledger keeps neither numbers nor texts: nothing that it promises is lost by that."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.config import Config
from whiteroute.engine.ledger import MemoryStore, SqliteStore, open_ledger_for_reading
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    DeliveryState,
    Message,
    MessageTaken,
    Privacy,
    ReceiptArrived,
)
from whiteroute.engine.service import InboundMessage, ReceiptEvent, open_engine
from whiteroute.simulators import MessageCenter, open_message_center

from .conftest import NOON, NOON_AT, Bench, virtual_now_at

BOTH = Privacy(numbers="hashed", texts="drop", key=b"sixteen octets and a few")
TO = "34600111222"


@pytest.fixture
def open_private(config: Callable[..., Config]) -> Any:
    """Open an engine with a message centre and this privacy."""

    @asynccontextmanager
    async def opened(ledger: object, retention: float | None = None) -> AsyncIterator[Bench]:
        center = MessageCenter(started_at=NOON)
        async with open_message_center(center):
            made = attrs.evolve(config(center.port), privacy=BOTH, retention=retention)
            async with open_engine(
                made,
                ledger=ledger,  # type: ignore[arg-type]
                seed=1,
                now_at=virtual_now_at,
                inline_ledger=True,
            ) as engine:
                assert () == await engine.wait_bound(60)
                yield Bench(engine, center)

    return opened


def taken(ref: str, **facts: Any) -> MessageTaken:
    usual = {"to": TO, "sender": "ACME", "text": "hello", "route": "acme-es", "carrier": "acme"}
    return MessageTaken(message_ref=ref, taken_at=NOON_AT, **(usual | facts))


async def test_what_was_queued_is_sent_whole_after_a_restart_and_stripped_then(
    autojump_clock: Any, open_private: Any, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    store = SqliteStore(path, privacy=BOTH)
    store.write([taken("queued")])
    store.close()
    async with open_private(path) as bench:
        await bench.center.wait_for("receipt_acknowledged")

    assert ["hello"] == [each.text for each in bench.center.submitted]
    reader = open_ledger_for_reading(path)
    (record,) = reader.messages()
    reader.close()
    assert (DeliveryState.DELIVERED, BOTH.number(TO), "") == (record.state, record.to, record.text)
    assert b"600111222" not in path.read_bytes()
    assert b"hello" not in path.read_bytes()


async def test_outcomes_tell_the_number_and_receipts_its_hash(
    autojump_clock: Any, open_private: Any
) -> None:
    async with open_private(MemoryStore(privacy=BOTH)) as bench:
        events = bench.engine.events()
        outcome = await bench.engine.submit(Message(to=f"+{TO}", sender="ACME", text="hello"))
        event = await anext(events)
        while not isinstance(event, ReceiptEvent):
            event = await anext(events)

    assert f"+{TO}" == outcome.to
    assert (outcome.message_ref, BOTH.number(TO)) == (event.message_ref, event.to)


async def test_an_orphan_receipt_is_adopted_by_hashes(
    autojump_clock: Any, open_private: Any
) -> None:
    store = MemoryStore(privacy=BOTH)
    at = NOON_AT
    store.write(
        [taken("doubted"), AttemptStarted(message_ref="doubted", carrier="acme", started_at=at)]
    )
    store.write([AttemptEnded(message_ref="doubted", ended_at=at, outcome=AttemptOutcome.IN_DOUBT)])
    store.write(
        [
            ReceiptArrived(
                carrier="acme",
                message_id="77",
                message_id_key="77",
                message_state=2,
                stat="DELIVRD",
                source_addr=TO,
                destination_addr="ACME",
                received_at=at + 1,
            )
        ]
    )
    async with open_private(store) as bench:
        await trio.sleep(600)
        history = bench.engine.ledger.message("doubted")

    assert DeliveryState.DELIVERED is history.message.state
    assert history.attempts[0].ended.adopted


async def test_a_reply_is_told_whole_and_kept_without(
    autojump_clock: Any, open_private: Any
) -> None:
    async with open_private(MemoryStore(privacy=BOTH)) as bench:
        events = bench.engine.events()
        bench.center.inject_mo(TO, "4321", "STOP")
        event = await anext(events)
        while not isinstance(event, InboundMessage):
            event = await anext(events)
        assert (TO, "STOP") == (event.source_addr, event.text)
        event.ack()
        await trio.sleep(1)
        (record,) = bench.engine.ledger.reader.conversations()

    assert (BOTH.number(TO), "") == (record.source_addr, record.text)


async def test_what_is_older_than_the_retention_is_forgotten(
    autojump_clock: Any, open_private: Any
) -> None:
    store = MemoryStore(privacy=BOTH)
    # A day before, less ten minutes.
    at = NOON_AT - 85_800_000_000
    store.write(
        [attrs.evolve(taken(ref, state=DeliveryState.REFUSED), taken_at=at) for ref in "ab"]
    )
    async with open_private(store, retention=86_400.0) as bench:
        await trio.sleep(500)
        early = list(bench.engine.ledger.reader.messages())
        await trio.sleep(3_600)
        late = list(bench.engine.ledger.reader.messages())

    assert ["a", "b"] == [record.message_ref for record in early]
    # The newest line stays.
    assert ["b"] == [record.message_ref for record in late]
