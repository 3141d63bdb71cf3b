"""Batches, pushing back, failures, cancellation and the end, through `open_ledger`."""

import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from whiteroute.engine.ledger import (
    Committed,
    EntryError,
    Ledger,
    LedgerError,
    LedgerReader,
    MemoryStore,
    Purge,
    Purged,
    SqliteStore,
    open_ledger,
    open_ledger_for_reading,
)
from whiteroute.engine.messages import (
    DeliveryState,
    Doubt,
    Effect,
    Entry,
    Matched,
    MessageTaken,
    Recorded,
)

if TYPE_CHECKING:
    from conftest import Told

    Opening = Callable[..., AbstractAsyncContextManager[Ledger]]

S = DeliveryState


class Faulty:
    """A store that does as it is told: waits at a gate, fails, or breaks."""

    def __init__(self) -> None:
        self.memory = MemoryStore()
        self.where = "faulty"
        self.gate = threading.Event()
        self.gate.set()
        self.failure: BaseException | None = None
        self.batches: list[int] = []
        self.is_writing = threading.Event()

    def write(self, entries: Sequence[Entry]) -> list[Effect]:
        self.is_writing.set()
        self.gate.wait()
        self.batches.append(len(entries))
        if self.failure is not None:
            raise self.failure
        for entry in entries:
            if isinstance(entry, MessageTaken) and entry.text == "poison":
                raise EntryError("poison", "no poison", self.where)
        return self.memory.write(entries)

    def known(self, message_refs: Iterable[str]) -> dict[str, DeliveryState]:
        return self.memory.known(message_refs)

    def recover(self, now_at: int) -> tuple[Doubt, ...]:
        return self.memory.recover(now_at)

    def begin_purge(self, purge: Purge) -> int:
        if self.failure is not None:
            raise self.failure
        return self.memory.begin_purge(purge)

    def purge_some(self, seconds: float) -> Purged | None:
        return self.memory.purge_some(seconds)

    def open_reader(self) -> LedgerReader:
        return self.memory.open_reader()

    def close(self) -> None:
        self.memory.close()


@pytest.fixture(params=[False, True], ids=["thread", "inline"])
def opening(request: pytest.FixtureRequest, path: Path) -> "Opening":
    """Open a ledger in either mode; a file unless a store is given."""

    def opening(store: object = path, **options: object) -> AbstractAsyncContextManager[Ledger]:
        return open_ledger(store, inline=request.param, **options)

    return opening


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    async with open_ledger(path) as ledger:
        yield ledger


async def test_a_commit_gives_one_effect_for_each_record(opening: "Opening", told: "Told") -> None:
    async with opening() as ledger:
        effects = await ledger.commit(
            [told.taken(), told.started(), told.accepted(), told.receipt()]
        )

        assert [Recorded, Recorded, Recorded, Matched] == [type(effect) for effect in effects]
        history = ledger.message("a")
        assert history is not None
        assert history.message.state == S.DELIVERED


async def test_append_calls_back_after_the_commit_in_order(
    opening: "Opening", told: "Told", path: Path
) -> None:
    told_back: list[tuple[str, Committed]] = []
    async with opening() as ledger:
        for ref in "abc":
            ledger.append(
                [told.taken(ref)],
                lambda committed, ref=ref: told_back.append((ref, committed)),
            )
        assert told_back == []
        await ledger.commit([])
        assert [ref for ref, _ in told_back] == ["a", "b", "c"]
        assert all(isinstance(committed, list) for _, committed in told_back)


async def test_what_waits_while_the_disk_is_busy_becomes_one_batch(told: "Told") -> None:
    store = Faulty()
    store.gate.clear()
    async with open_ledger(store) as ledger:
        ledger.append([told.taken("first")])
        await trio.to_thread.run_sync(store.is_writing.wait)
        for number in range(50):
            ledger.append([told.taken(f"m{number}")])
        store.gate.set()
        await ledger.commit([told.taken("last")])

        assert store.batches == [1, 51]
        statistics = ledger.statistics()
        assert (52, 2, 51, 0) == (
            statistics.written,
            statistics.groups,
            statistics.largest_group,
            statistics.waiting,
        )
        assert statistics.writing_time > 0


async def test_a_batch_has_a_largest_size(opening: "Opening", told: "Told") -> None:
    store = Faulty()
    async with opening(store) as ledger:
        ledger.append([told.link()] * 4001)
        for _ in range(3):
            ledger.append([told.link()] * 2000)
        await ledger.commit([])

    assert sum(store.batches) == 10_001
    assert max(store.batches) == 4001
    assert set(store.batches) <= {4001, 2000, 4000}


async def test_room_is_what_is_left_and_comes_back(told: "Told") -> None:
    store = Faulty()
    store.gate.clear()
    async with open_ledger(store, capacity=2) as ledger:
        ledger.append([told.taken("a"), told.taken("b"), told.taken("c")])
        assert ledger.room == -1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ledger.wait_room)
            await trio.testing.wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 1
            store.gate.set()

        assert ledger.room == 2
        await ledger.wait_room()


async def test_a_store_that_fails_fails_its_callers_and_then_goes_on(
    opening: "Opening", told: "Told"
) -> None:
    store = Faulty()
    store.failure = LedgerError("the disk is full", "room", "faulty")
    outcomes: list[Committed] = []
    async with opening(store) as ledger:
        ledger.append([told.taken("a")], outcomes.append)
        with pytest.raises(LedgerError, match="the disk is full"):
            await ledger.commit([told.taken("b")])
        assert outcomes == [store.failure]
        assert ledger.statistics().last_error == "faulty: the disk is full, expected room"
        assert ledger.statistics().refused == 2

        store.failure = None
        assert [Recorded] == [type(effect) for effect in await ledger.commit([told.taken("a")])]
        assert ledger.room == 20_000


async def test_one_callers_poison_does_not_fail_the_others(told: "Told") -> None:
    store = Faulty()
    store.gate.clear()
    outcomes: dict[str, Committed] = {}
    async with open_ledger(store) as ledger:
        ledger.append([])
        await trio.to_thread.run_sync(store.is_writing.wait)
        for ref, text in (("a", "x"), ("b", "poison"), ("c", "y")):
            ledger.append(
                [told.taken(ref, text=text)],
                lambda committed, ref=ref: outcomes.update({ref: committed}),
            )
        store.gate.set()
        await ledger.commit([])

    assert [list, EntryError, list] == [type(outcomes[ref]) for ref in "abc"]


async def test_a_cancelled_caller_does_not_lose_what_was_committed(told: "Told") -> None:
    store = Faulty()
    store.gate.clear()
    effects: list[Effect] = []

    async def commit() -> None:
        effects.extend(await ledger.commit([told.taken()]))

    async with open_ledger(store) as ledger:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(commit)
            await trio.to_thread.run_sync(store.is_writing.wait)
            nursery.cancel_scope.cancel()
            store.gate.set()

        assert [Recorded] == [type(effect) for effect in effects]


async def test_a_caller_cancelled_before_it_handed_in_writes_nothing(
    opening: "Opening", told: "Told"
) -> None:
    store = Faulty()
    async with opening(store) as ledger:
        with trio.CancelScope() as scope:
            scope.cancel()
            await ledger.commit([told.taken()])

    assert scope.cancelled_caught
    assert store.batches == []


async def test_closing_writes_everything_even_when_cancelled(
    opening: "Opening", told: "Told", path: Path
) -> None:
    told_back: list[Committed] = []
    with trio.CancelScope() as scope:
        async with opening() as ledger:
            for number in range(100):
                ledger.append([told.taken(f"m{number}")], told_back.append)
            scope.cancel()
            await trio.sleep_forever()

    reader = open_ledger_for_reading(path)
    assert (100, 100) == (len(told_back), len(list(reader.messages())))
    reader.close()


async def test_an_error_in_the_block_is_not_hidden_by_the_ledger(
    opening: "Opening", told: "Told"
) -> None:
    store = Faulty()
    with pytest.RaisesGroup(ZeroDivisionError):
        async with opening(store) as ledger:
            ledger.append([told.taken()])
            raise ZeroDivisionError

    assert store.known(["a"]) == {"a": S.QUEUED}


async def test_a_callback_that_raises_ends_the_block_but_nobody_waits_for_ever(
    opening: "Opening", told: "Told"
) -> None:
    told_back: list[Committed] = []

    def stumble(_: Committed) -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        async with opening(Faulty()) as ledger:
            ledger.append([told.taken("a")], stumble)
            ledger.append([told.taken("b")], told_back.append)
            await ledger.commit([told.taken("c")])

    assert [list] == [type(committed) for committed in told_back]


async def test_a_store_that_breaks_ends_the_block_but_nobody_waits_for_ever(
    opening: "Opening", told: "Told"
) -> None:
    store = Faulty()
    store.failure = ZeroDivisionError()
    told_back: list[Committed] = []
    with pytest.RaisesGroup(ZeroDivisionError, LedgerError):
        async with opening(store) as ledger:
            ledger.append([told.taken("a")], told_back.append)
            await ledger.commit([told.taken("b")])

    assert [LedgerError] == [type(committed) for committed in told_back]


async def test_a_closed_ledger_takes_nothing_more(opening: "Opening", told: "Told") -> None:
    async with opening() as ledger:
        pass

    with pytest.raises(LedgerError, match="the ledger is closed"):
        ledger.append([told.taken()])


async def test_opening_recovers_what_an_earlier_owner_left(
    opening: "Opening", told: "Told", path: Path
) -> None:
    store = SqliteStore(path)
    store.write([told.taken(), told.started()])
    store.close()

    async with opening(now_at=told.at(500)) as ledger:
        assert ["a"] == [doubt.message_ref for doubt in ledger.recovered]
        history = ledger.message("a")

    assert history is not None
    [attempt] = history.attempts
    assert attempt.ended is not None
    assert (S.IN_DOUBT, told.at(500)) == (attempt.state, attempt.ended.ended_at)


async def test_a_store_that_was_given_stays_its_owners(opening: "Opening", told: "Told") -> None:
    store = MemoryStore()
    async with opening(store) as ledger:
        await ledger.commit([told.taken(), told.started()])
    async with opening(store) as ledger:
        assert ["a"] == [doubt.message_ref for doubt in ledger.recovered]

    assert store.open_reader().has_writer


async def test_a_ledger_that_cannot_be_opened_says_why(opening: "Opening", path: Path) -> None:
    await trio.Path(path).write_text("not a ledger" * 100)

    with pytest.raises(LedgerError, match="not an SQLite file"):
        async with opening():
            raise AssertionError

    await trio.Path(path).unlink()
    async with opening() as ledger:
        assert repr(ledger) == f"<Ledger {path}, 0 waiting>"


async def test_many_callers_share_the_cost_of_the_disk(ledger: Ledger, told: "Told") -> None:
    async def send(number: int) -> None:
        ref = f"m{number}"
        await ledger.commit([told.taken(ref), told.started(ref)])
        await ledger.commit([told.accepted(ref, message_id=ref)])
        [effect] = await ledger.commit([told.receipt(ref)])
        assert isinstance(effect, Matched)

    async with trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(send, number)

    statistics = ledger.statistics()
    assert statistics.written == 800
    assert statistics.groups < 400


async def test_inline_commits_take_no_virtual_time(
    path: Path, told: "Told", autojump_clock: trio.testing.MockClock
) -> None:
    async with open_ledger(path, inline=True) as ledger:
        before = trio.current_time()
        with trio.fail_after(1):
            for number in range(20):
                await ledger.commit([told.taken(f"m{number}")])

        assert trio.current_time() == before
