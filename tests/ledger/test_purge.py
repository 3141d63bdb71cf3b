"""Purging by number and by age: what goes, what stays, and that it goes on whatever happens."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from whiteroute.engine.ledger import (
    LedgerError,
    LedgerReader,
    LedgerStore,
    MemoryStore,
    Purge,
    Purged,
    SqliteStore,
    check_ledger,
    compact_ledger,
    count_purge,
    open_ledger,
)
from whiteroute.engine.messages import (
    DeliveryState,
    InboundAcknowledged,
    InboundReady,
    InboundState,
    Matched,
    Parked,
    Privacy,
)

if TYPE_CHECKING:
    from conftest import Told

    Reading = Callable[[LedgerStore], LedgerReader]

S = DeliveryState
HANDSET = "+34600111222"
HASHED = Privacy(numbers="hashed", key=b"sixteen octets and a few")


@pytest.fixture(params=["memory", "file", "hashed memory", "hashed file"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[LedgerStore]:
    """Every kind of store, plain and hashed."""
    privacy = HASHED if "hashed" in request.param else Privacy()
    made: LedgerStore
    made = (
        MemoryStore(privacy=privacy)
        if "memory" in request.param
        else SqliteStore(path, privacy=privacy)
    )
    yield made
    made.close()


def purge(store: LedgerStore, order: Purge, seconds: float = 1.0) -> Purged:
    """Purge to the end."""
    number = store.begin_purge(order)
    while True:
        purged = store.purge_some(seconds)
        assert purged is not None
        if purged.is_done:
            assert number == purged.order
            return purged


def by_number(told: "Told", number: str = HANDSET) -> Purge:
    return Purge(begun_at=told.at(10_000), number=number)


def by_age(told: "Told", before: float = 5_000) -> Purge:
    return Purge(begun_at=told.at(10_000), before_at=told.at(before))


def counts(purged: Purged) -> tuple[int, ...]:
    return (purged.messages, purged.receipts, purged.inbound, purged.conversations, purged.left)


def sent(told: "Told", ref: str, at: float = 0, **facts: object) -> list[object]:
    return [
        told.taken(ref, at, **facts),
        told.started(ref, at + 1),
        told.accepted(ref, f"id-{ref}", at + 2),
    ]


def finished(told: "Told", ref: str, at: float = 0, **facts: object) -> list[object]:
    return [*sent(told, ref, at, **facts), told.receipt(f"id-{ref}", at=at + 3)]


# Orders


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "either a number or a time"),
        ({"number": HANDSET, "before_at": 1}, "either a number or a time"),
        ({"number": "123456"}, "too short"),
    ],
)
def test_an_order_that_says_nothing_is_refused(facts: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Purge(begun_at=1, **facts)


def test_the_number_of_an_order_is_in_no_repr(told: "Told") -> None:
    assert "600111222" not in repr(by_number(told))


def test_nothing_ordered_is_nothing_purged(store: LedgerStore) -> None:
    assert None is store.purge_some(1.0)


# By number


@pytest.mark.parametrize("written", [HANDSET, "34600111222", "0034600111222", "600111222"])
def test_every_trace_of_a_number_goes_and_the_lines_stay(
    store: LedgerStore, told: "Told", reading: "Reading", written: str
) -> None:
    tags = {"campaign": "autumn", "name": "Ana"}
    store.write(finished(told, "a", tags=tags, sender="4321", decision="{}"))
    store.write(sent(told, "b", to="+34600999888"))
    store.write([told.receipt("id-b", source_addr="34600999888")])
    # One that no message has, one whose source is written as at home, and a reply.
    store.write([told.receipt("x"), told.receipt("y", source_addr="600111222"), told.inbound("i")])
    store.write([told.inbound("w", total=2, segment=1, reference=5, text="half")])
    purged = purge(store, by_number(told, written))

    assert (1, 3, 2, 2, 0) == counts(purged)
    reader = reading(store)
    history = reader.message("a")
    assert history is not None
    record = history.message
    assert ("", "", {"campaign": "autumn"}, "", S.DELIVERED) == (
        record.to,
        record.text,
        record.tags,
        record.decision,
        record.state,
    )
    assert [("", b"")] == [
        (line.receipt.source_addr, line.receipt.octets) for line in history.receipts
    ]
    other = reader.message("b")
    assert other is not None
    assert other.message.to
    assert other.message.text
    assert 4 == len(list(reader.receipts()))
    assert ["", ""] == [segment.source_addr + segment.text for segment in reader.inbound()]
    whole, partial = reader.conversations()
    assert ("", "", InboundState.WHOLE) == (whole.source_addr, whole.text, whole.state)
    assert ("", "", InboundState.PARTIAL) == (partial.source_addr, partial.text, partial.state)
    assert () == reader.unacknowledged(0, 9)
    # A second time there is nothing left.
    assert (0, 0, 0, 0, 0) == counts(purge(store, by_number(told, written)))


def test_a_purged_pair_has_no_conversation_any_more(store: LedgerStore, told: "Told") -> None:
    store.write(finished(told, "a", sender="4321"))
    purge(store, by_number(told))
    (effect,) = store.write([told.inbound("i")])

    assert isinstance(effect, InboundReady)
    assert "" == effect.message.reply_to


def test_a_purged_set_takes_no_more_segments(store: LedgerStore, told: "Told") -> None:
    store.write([told.inbound("i", total=2, segment=1, reference=5, text="one")])
    purge(store, by_number(told))
    store.write([told.inbound("j", total=2, segment=2, reference=5, text="two")])
    reader = store.open_reader()

    assert ["i", "j"] == [record.inbound_ref for record in reader.conversations()]
    reader.close()


def test_receipts_still_find_a_purged_message(store: LedgerStore, told: "Told") -> None:
    store.write(sent(told, "a"))
    assert 1 == purge(store, by_number(told)).messages
    (effect,) = store.write([told.receipt("id-a")])

    assert isinstance(effect, Matched)
    assert ("a", S.DELIVERED, "") == (effect.message_ref, effect.after, effect.to)


def test_what_may_still_be_sent_is_left_and_counted(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write([told.taken("queued"), told.taken("sent"), told.started("sent")])
    store.write([told.taken("doubted"), told.started("doubted"), told.doubted("doubted")])

    assert (0, 0, 0, 0, 3) == counts(purge(store, by_number(told)))
    record = reading(store).message("queued")
    assert record is not None
    assert ("+34600111222", "Your code is 123456") == (record.message.to, record.message.text)


# By age


def test_what_was_over_goes_with_all_that_belongs_to_it(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write([*finished(told, "old"), *sent(told, "open"), *finished(told, "young", 6_000)])
    store.write([told.receipt("parked"), told.receipt("", at=4), told.receipt("z", at=6_000)])
    store.write([told.inbound("done", 1), told.inbound("untold", 2), told.inbound("new", 6_000)])
    store.write(
        [
            InboundAcknowledged(inbound_ref=ref, acknowledged_at=told.at(9))
            for ref in ("done", "new")
        ]
    )

    # The segments are for diagnosis only; what was not acknowledged stays as a message.
    assert (1, 2, 2, 1, 0) == counts(purge(store, by_age(told)))
    reader = reading(store)
    assert ["open", "young"] == [record.message_ref for record in reader.messages()]
    assert None is reader.message("old")
    assert {"id-young", "parked", "z"} == {line.receipt.message_id for line in reader.receipts()}
    assert ["untold", "new"] == [record.inbound_ref for record in reader.conversations()]
    assert {} == store.known(["old"])


def test_a_message_that_was_purged_is_unknown_and_its_receipts_are_parked(
    store: LedgerStore, told: "Told"
) -> None:
    store.write([*finished(told, "old"), *sent(told, "last", 6_000)])
    purge(store, by_age(told))
    (effect,) = store.write([told.receipt("id-old", at=7_000)])

    assert isinstance(effect, Parked)
    store.write(finished(told, "old", 8_000))
    assert {"old": S.DELIVERED} == store.known(["old"])


def test_the_newest_lines_stay_because_the_next_are_numbered_after_them(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write([*finished(told, "a"), *finished(told, "b")])
    store.write(
        [told.receipt("", at=4), told.receipt("", at=5), told.inbound("i"), told.inbound("j")]
    )
    store.write(
        [InboundAcknowledged(inbound_ref=ref, acknowledged_at=told.at(9)) for ref in ("i", "j")]
    )
    purge(store, by_age(told))
    (numbered,) = reading(store).conversations()

    assert 2 == numbered.number
    assert ["b"] == [record.message_ref for record in reading(store).messages()]


def test_an_old_message_that_changed_lately_stays(store: LedgerStore, told: "Told") -> None:
    store.write([*sent(told, "a"), told.receipt("id-a", at=6_000), told.taken("last", 6_000)])

    assert 0 == purge(store, by_age(told)).messages


def test_a_page_that_two_messages_share_is_told_of_the_one_that_stays(
    store: LedgerStore, told: "Told"
) -> None:
    store.write(finished(told, "old"))
    # The carrier gives the same id again.
    store.write([told.taken("new", 6_000), told.started("new", 6_001)])
    store.write([told.accepted("new", "id-old", 6_002)])
    purge(store, by_age(told))
    (effect,) = store.write([told.receipt("id-old", at=6_003)])

    assert isinstance(effect, Matched)
    assert "new" == effect.message_ref


# In a file


def crowd(path: Path, told: "Told", messages: int = 600) -> SqliteStore:
    """A ledger with many old messages and one young one."""
    store = SqliteStore(path)
    entries = [entry for number in range(messages) for entry in finished(told, f"m{number}")]
    store.write(
        [*entries, told.receipt("", at=4), told.inbound("i"), *finished(told, "young", 6_000)]
    )
    return store


def test_a_purge_goes_on_after_a_restart_from_where_it_was(path: Path, told: "Told") -> None:
    store = crowd(path, told)
    store.begin_purge(by_age(told))
    first = store.purge_some(0.0)
    store.close()
    assert first is not None
    assert (100, False) == (first.messages, first.is_done)

    again = SqliteStore(path)
    moments = 1
    while not (purged := again.purge_some(0.0)).is_done:
        moments += 1
    assert None is again.purge_some(1.0)
    again.close()
    assert 600 == purged.messages
    assert moments > 6
    assert ((), 1) == (check_ledger(path).faults, check_ledger(path).lines["messages"])


KILLED = """
import os, signal, sys
from whiteroute.engine.ledger import Purge, SqliteStore

store = SqliteStore(sys.argv[1])
store.begin_purge(Purge(begun_at=1, before_at=int(sys.argv[2])))
for _ in range(3):
    store.purge_some(0.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_purge_goes_on_after_its_process_was_killed(path: Path, told: "Told") -> None:
    crowd(path, told).close()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(told.at(5_000))], check=False
    )
    assert -signal.SIGKILL == killed.returncode
    assert 301 == check_ledger(path).lines["messages"]

    store = SqliteStore(path)
    while not (purged := store.purge_some(1.0)).is_done:
        pass
    store.close()
    assert 600 == purged.messages
    assert ((), 1) == (check_ledger(path).faults, check_ledger(path).lines["messages"])


def test_a_moment_that_fails_is_undone_and_tried_again(
    path: Path, told: "Told", monkeypatch: pytest.MonkeyPatch
) -> None:
    store = crowd(path, told)
    store.begin_purge(by_age(told))
    store._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(LedgerError, match="may only be read"):
        store.purge_some(1.0)
    assert 601 == check_ledger(path).lines["messages"]

    store._connection.execute("PRAGMA query_only = 0")
    while not (purged := store.purge_some(1.0)).is_done:
        pass
    assert 600 == purged.messages
    store.close()


def test_purging_makes_the_file_smaller_and_overwrites_what_was_there(
    path: Path, told: "Told"
) -> None:
    store = crowd(path, told)
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size
    purge(store, by_number(told))
    assert b"600111222" not in path.read_bytes() + path.with_name("ledger.db-wal").read_bytes()
    purge(store, by_age(told), 0.0)
    store.close()

    assert path.stat().st_size < before / 2
    found = check_ledger(path)
    assert (True, ()) == (found.gives_back, found.faults)


def test_a_reader_that_looks_on_holds_up_nothing(path: Path, told: "Told") -> None:
    store = crowd(path, told)
    reader = store.open_reader()
    looking = reader.messages()
    next(looking)

    assert 600 == purge(store, by_age(told)).messages
    # It goes on with the ledger as it was.
    assert 600 == len(list(looking))
    reader.close()
    store.close()


def test_counting_changes_nothing(path: Path, told: "Told") -> None:
    store = crowd(path, told, 30)
    store.write([told.receipt("x"), told.taken("queued")])
    before = check_ledger(path).lines
    counted = [count_purge(path, order(told)) for order in (by_number, by_age)]

    assert before == check_ledger(path).lines
    # The other way round, because what is deleted cannot be stripped.
    assert [counts(each) for each in counted] == [
        (31, 33, 1, 1, 1),
        (30, 31, 1, 0, 0),
    ]
    assert counts(counted[0]) == counts(purge(store, by_number(told)))
    assert counts(counted[1]) == counts(purge(store, by_age(told)))
    store.close()


def test_an_older_file_gives_nothing_back_until_it_is_compacted(path: Path, told: "Told") -> None:
    crowd(path, told).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    store = SqliteStore(path)
    purge(store, by_age(told))
    with pytest.raises(LedgerError, match=r"another|process"):
        compact_ledger(path)
    store.close()
    found = check_ledger(path)
    assert not found.gives_back
    assert found.free_octets > 100_000

    compact_ledger(path)
    after = check_ledger(path)
    assert (True, 0, ()) == (after.gives_back, after.free_octets, after.faults)
    assert after.octets < found.octets / 2


@pytest.mark.parametrize("look", [check_ledger, compact_ledger])
def test_no_file_and_no_ledger_are_told_apart(look: Callable[[Path], object], path: Path) -> None:
    with pytest.raises(LedgerError, match="no such file"):
        look(path)
    assert not path.exists()
    path.write_bytes(b"not a ledger at all" * 100)
    with pytest.raises(LedgerError, match="not an SQLite file"):
        look(path)


def test_an_older_ledger_is_not_checked(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(LedgerError, match="let an engine open it once"):
        check_ledger(path)


# While an engine runs


@pytest.mark.parametrize("inline", [True, False])
async def test_the_open_ledger_purges_and_says_when_it_is_done(
    path: Path, told: "Told", inline: bool
) -> None:
    crowd(path, told).close()
    async with open_ledger(path, inline=inline) as ledger:
        purged = await ledger.purge(by_age(told))
        effects = await ledger.commit([told.taken("next", 7_000)])

    assert 600 == purged.messages
    assert 1 == len(effects)
    with pytest.raises(LedgerError, match="closed"):
        ledger.begin_purge(by_age(told))


async def test_records_are_written_between_two_moments(path: Path, told: "Told") -> None:
    crowd(path, told, 3_000).close()
    async with open_ledger(path) as ledger:
        ledger.begin_purge(by_age(told))
        order = ledger._purging._orders[0]
        written = 0
        while not order.done.is_set():
            await ledger.commit([told.taken(f"next-{written}", 7_000)])
            written += 1

    assert isinstance(order.purged, Purged)
    assert 3_000 == order.purged.messages
    assert written > 5


async def test_who_waits_while_it_is_closed_is_told_and_it_goes_on(
    path: Path, told: "Told"
) -> None:
    crowd(path, told, 3_000).close()
    refused: list[LedgerError] = []

    async def wait() -> None:
        try:
            await ledger.purge(by_age(told))
        except LedgerError as error:
            refused.append(error)

    async with trio.open_nursery() as nursery, open_ledger(path) as ledger:
        nursery.start_soon(wait)
        await ledger.commit([told.taken("x", 7_000)])
        while not check_ledger(path).lines["purges"]:
            await ledger.commit([])
    assert "closed while it was purged" in str(refused[0])

    async with open_ledger(path, inline=True) as ledger:
        await ledger.commit([])
    assert 0 == check_ledger(path).lines["purges"]
    assert 2 == check_ledger(path).lines["messages"]


async def test_who_waits_is_told_why_it_cannot_be_purged_now(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    store.write([told.taken()])
    async with open_ledger(store, inline=True) as ledger:
        store._connection.execute("PRAGMA query_only = 1")
        with pytest.raises(LedgerError, match="may only be read"):
            await ledger.purge(by_age(told))
        store._connection.execute("PRAGMA query_only = 0")
        assert Purged(order=1, is_done=True) == await ledger.purge(by_age(told))
    store.close()
