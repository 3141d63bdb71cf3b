"""What a ledger keeps of persons: what is not sent yet, whole; afterwards what privacy leaves of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whiteroute.engine.ledger import LedgerStore, MemoryStore, SqliteStore
from whiteroute.engine.messages import (
    DeliveryState,
    InboundAcknowledged,
    InboundReady,
    Matched,
    Privacy,
    Recorded,
    find_adopter,
)
from whiteroute.pdu import DeliverSm, encode

if TYPE_CHECKING:
    from conftest import Told

    Make = Callable[[Privacy], LedgerStore]

S = DeliveryState
KEY = b"sixteen octets and a few"
HASHED = Privacy(numbers="hashed", key=KEY)
BOTH = Privacy(numbers="hashed", texts="drop", key=KEY)
DROPPED = Privacy(texts="drop")
TO = "+34600111222"
TEXT = "Your code is 123456"
PDU = encode(
    DeliverSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=4,
        short_message=f"id:77 stat:DELIVRD err:000 text:{TEXT}".encode(),
    )
)


@pytest.fixture(params=["memory", "file"])
def make(request: pytest.FixtureRequest, path: Path) -> "Iterator[Make]":
    """Make a store of either kind, again after it was closed."""
    made: list[LedgerStore] = []
    memory: list[MemoryStore] = []

    def make(privacy: Privacy) -> LedgerStore:
        if request.param == "memory":
            memory.append(memory[0] if memory else MemoryStore(privacy=privacy))
            made.append(memory[0])
        else:
            made.append(SqliteStore(path, privacy=privacy))
        return made[-1]

    yield make
    for store in made:
        store.close()


def kept(store: LedgerStore, message_ref: str = "a") -> tuple[str, str]:
    """Give the number and the text of a message as the ledger has them."""
    reader = store.open_reader()
    history = reader.message(message_ref)
    reader.close()
    assert history is not None
    return history.message.to, history.message.text


def test_what_is_queued_keeps_all_and_what_was_answered_nothing(make: "Make", told: "Told") -> None:
    store = make(BOTH)
    store.write([told.taken()])
    assert (TO, TEXT) == kept(store)
    store.write([told.started()])
    assert (TO, TEXT) == kept(store)
    store.write([told.refused(retrying=True)])
    assert (TO, TEXT) == kept(store)
    store.write([told.started(attempt=2, at=3), told.accepted(attempt=2, at=4)])

    assert (BOTH.number(TO), "") == kept(store)


def test_one_batch_leaves_no_more_than_many(make: "Make", told: "Told") -> None:
    store = make(BOTH)
    store.write([told.taken(), told.started(), told.accepted()])

    assert (BOTH.number(TO), "") == kept(store)


@pytest.mark.parametrize(
    ("privacy", "left"),
    [(HASHED, (HASHED.number(TO), TEXT)), (DROPPED, (TO, "")), (Privacy(), (TO, TEXT))],
)
def test_each_can_be_had_alone(
    make: "Make", told: "Told", privacy: Privacy, left: tuple[str, str]
) -> None:
    store = make(privacy)
    store.write([told.taken()])
    store.write([told.started(), told.accepted()])

    assert left == kept(store)


def test_a_long_message_keeps_its_text_until_its_last_part_is_answered(
    make: "Make", told: "Told"
) -> None:
    store = make(DROPPED)
    store.write([told.taken(part_count=2), told.started(), told.accepted()])
    assert (TO, TEXT) == kept(store)
    store.write([told.started(part=2), told.accepted(part=2, message_id="78")])

    assert (TO, "") == kept(store)


@pytest.mark.parametrize(("policy", "left"), [("hold", ""), ("allow", TEXT)])
def test_a_restart_finds_all_that_it_may_have_to_send(
    make: "Make", told: "Told", policy: str, left: str
) -> None:
    store = make(DROPPED)
    store.write([told.taken("a", duplicate_policy=policy), told.taken("b")])
    store.write([told.started("a")])
    store.close()
    again = make(DROPPED)
    again.recover(told.at(60))

    assert TEXT == kept(again, "b")[1]
    # In doubt: sent again only where that is allowed.
    assert left == kept(again, "a")[1]
    again.write([told.closed("a", state=S.IN_DOUBT), told.closed("b", state=S.CANCELLED)])
    assert ["", ""] == [kept(again, "a")[1], kept(again, "b")[1]]


def test_a_refused_message_is_never_kept_whole(make: "Make", told: "Told") -> None:
    store = make(BOTH)
    store.write([told.taken(state=S.REFUSED, decision=f'{{"rule": "no route to {TO}"}}')])
    reader = store.open_reader()
    (record,) = reader.messages()
    reader.close()

    assert (BOTH.number(TO), "") == (record.to, record.text)
    assert TO not in record.decision


def test_receipts_find_their_message_and_lose_their_number(make: "Make", told: "Told") -> None:
    store = make(BOTH)
    store.write([told.taken(), told.started(), told.accepted()])
    store.close()
    again = make(BOTH)
    (effect,) = again.write([told.receipt(octets=PDU)])
    reader = again.open_reader()
    (record,) = reader.receipts()
    reader.close()

    assert isinstance(effect, Matched)
    assert ("a", BOTH.number(TO)) == (effect.message_ref, effect.to)
    assert (BOTH.number(TO), "ACME") == (
        record.receipt.source_addr,
        record.receipt.destination_addr,
    )
    assert b"600111222" not in record.receipt.octets
    assert TEXT.encode() not in record.receipt.octets
    assert b"stat:DELIVRD" in record.receipt.octets


def test_an_orphan_is_adopted_by_hashes(make: "Make", told: "Told") -> None:
    store = make(BOTH)
    store.write([told.taken(), told.started()])
    store.write([told.doubted()])
    store.write([told.receipt(at=100)])
    reader = store.open_reader()
    (parked,) = reader.parked(told.at(1000), 9)
    doubts = [BOTH.doubt(doubt) for doubt in reader.doubts()]
    reader.close()

    assert [(BOTH.number(TO), "")] == [(doubt.to, doubt.text) for doubt in doubts]
    assert doubts[0] is find_adopter(parked.receipt, doubts)
    (effect,) = store.write([told.accepted(at=101, adopted=True)])
    assert isinstance(effect, Recorded)
    assert S.DELIVERED is effect.after


def test_a_reply_is_told_whole_until_it_is_acknowledged(make: "Make", told: "Told") -> None:
    store = make(BOTH)
    store.write([told.taken(sender="4321"), told.started(), told.accepted()])
    store.close()
    store = make(BOTH)
    store.write([told.inbound("i", total=2, segment=1, reference=7, text="ST")])
    store.close()
    store = make(BOTH)
    (effect,) = store.write([told.inbound("j", total=2, segment=2, reference=7, text="OP")])

    assert isinstance(effect, InboundReady)
    told_now = effect.message
    assert ("34600111222", "STOP", "a") == (
        told_now.source_addr,
        told_now.text,
        told_now.reply_to,
    )
    reader = store.open_reader()
    (waiting,) = reader.unacknowledged(0, 9)
    assert told_now == waiting
    segments = list(reader.inbound())
    assert [(BOTH.number(TO), ""), (BOTH.number(TO), "")] == [
        (segment.source_addr, segment.text) for segment in segments
    ]

    store.write([InboundAcknowledged(inbound_ref="i", acknowledged_at=told.at(9))])
    (conversation,) = reader.conversations()
    reader.close()
    assert (BOTH.number(TO), "") == (conversation.source_addr, conversation.text)
    store.close()
    # A carrier that repeats itself does not begin another message.
    store = make(BOTH)
    (repeated,) = store.write(
        [told.inbound("k", at=30, total=2, segment=2, reference=7, text="OP")]
    )
    assert "Duplicate" == type(repeated).__name__


def test_no_octet_of_a_person_is_left_in_the_file(path: Path, told: "Told") -> None:
    store = SqliteStore(path, privacy=BOTH)
    for number in range(50):
        ref = f"m{number}"
        store.write([told.taken(ref, sender="4321", text=f"{TEXT} for {TO}")])
        store.write([told.started(ref)])
        store.write([told.accepted(ref, str(number))])
        store.write([told.receipt(str(number), octets=PDU)])
        store.write([told.inbound(f"i{number}", text=f"no {TEXT}", octets=PDU)])
        store.write([InboundAcknowledged(inbound_ref=f"i{number}", acknowledged_at=told.at(9))])
    store.close()

    octets = path.read_bytes()
    assert b"600111222" not in octets
    assert TEXT.encode() not in octets
    assert HASHED.number(TO).encode() in octets


def test_a_ledger_that_was_written_plainly_is_read_and_matched_on(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    store.write([told.taken(), told.started(), told.accepted()])
    store.close()
    store = SqliteStore(path, privacy=BOTH)
    (effect,) = store.write([told.receipt()])

    assert isinstance(effect, Matched)
    assert (BOTH.number(TO), "") == kept(store)
    store.close()
