"""The ledger as the engine holds it: records go in without waiting, effects come back when written.

One thread owns the store. Whatever is handed in while it is writing becomes its next batch, so the
cost of reaching the disk is shared by all who wait for it: under load a batch is large, and at rest a
record waits for nobody.

What a record means is decided by `whiteroute.engine.messages`, and where it is kept by the store.
"""

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import outcome
import trio

from whiteroute.engine.messages import KEEP_ALL, Doubt, Effect, Entry, Privacy

from .errors import EntryError, LedgerError
from .purge import Purge, Purged
from .purging import Order, Purging
from .reading import LedgerReader, MessageHistory
from .sqlite import SqliteStore, Synchronous
from .statistics import Counts, LedgerStatistics
from .store import LedgerStore

__all__ = ["Committed", "Ledger", "open_ledger"]

Committed = list[Effect] | LedgerError
"""What comes back for records: their effects, once they are on disk; or why they are not."""

_CAPACITY: Final = 20_000
"""Records that may wait; about a third of a second's work for one disk."""
_LARGEST_GROUP: Final = 4_000
"""Records in one transaction. Larger ones are not cheaper, and hold up those that came with them."""
_TURN: Final = 0.002
"""Seconds for which callers are told before others get their turn on the event loop."""


@attrs.define(weakref_slot=False, eq=False)
class _Job:
    """What one caller handed in, and whom to tell."""

    entries: Sequence[Entry]
    then: Callable[[Committed], None] | None
    committed: Committed | None = None
    """None until the writer has dealt with it."""


@asynccontextmanager
async def open_ledger(
    ledger: LedgerStore | str | Path,
    *,
    synchronous: Synchronous = "FULL",
    capacity: int = _CAPACITY,
    inline: bool = False,
    now_at: int | None = None,
    privacy: Privacy = KEEP_ALL,
) -> AsyncIterator["Ledger"]:
    """Own a ledger for as long as the block runs, and recover it first.

    Attempts that an earlier owner left without an outcome become IN_DOUBT and are told in
    `Ledger.recovered`. At the end everything handed in is written, even if the block was cancelled;
    that waits for the disk as long as the disk takes.

    Args:
        ledger: A file, made when missing; or a store, which stays its owner's to close.
        synchronous: For a file; see `SqliteStore`.
        capacity: Records that may wait before `room` is used up.
        inline: Write on the event loop instead of in a thread. For tests under a virtual clock,
            which would jump while a thread works.
        now_at: Microseconds since the epoch, for the recovery. Default: the system's clock.
        privacy: What is kept of persons, in a file; a store has its own.

    Raises:
        LedgerError: See `SqliteStore`; or the recovery cannot be written.
    """
    if now_at is None:
        now_at = time.time_ns() // 1_000
    if not isinstance(ledger, str | Path):
        async with _serving(ledger, capacity, inline, now_at) as served:
            yield served
        return
    path = Path(ledger)
    if inline:
        store = SqliteStore(path, synchronous=synchronous, privacy=privacy)
    else:
        store = await trio.to_thread.run_sync(
            lambda: SqliteStore(path, synchronous=synchronous, privacy=privacy)
        )
    try:
        async with _serving(store, capacity, inline, now_at) as served:
            yield served
    finally:
        store.close()


@asynccontextmanager
async def _serving(
    store: LedgerStore, capacity: int, inline: bool, now_at: int
) -> AsyncIterator["Ledger"]:
    if inline:
        recovered = store.recover(now_at)
    else:
        recovered = await trio.to_thread.run_sync(store.recover, now_at)
    ledger = Ledger(store, capacity=capacity, inline=inline, recovered=recovered)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ledger._serve, nursery)  # noqa: SLF001 - the other half of it
            try:
                yield ledger
            finally:
                ledger._close()  # noqa: SLF001
    finally:
        ledger.reader.close()


class Ledger:
    """The ledger that `open_ledger` gives."""

    def __init__(
        self, store: LedgerStore, *, capacity: int, inline: bool, recovered: tuple[Doubt, ...]
    ) -> None:
        self.recovered = recovered
        """Attempts that an earlier owner left without an outcome; IN_DOUBT by now."""
        self.reader: LedgerReader = store.open_reader()
        """Reads what is committed, on a connection of its own. It reads at once and blocks the
        event loop meanwhile: fine for one message, wrong for a report, which belongs in a thread or
        in another process."""
        self._store = store
        self._capacity = capacity
        self._waiting = 0
        self._is_closing = False
        self._queue: deque[_Job] = deque()
        self._finished: deque[_Job] = deque()
        self._room_wanted = trio.lowlevel.ParkingLot()
        self._woken = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        self._counts = Counts()
        self._inline = inline
        self._purging = Purging(store, self._token.run_sync_soon)
        self._bell = threading.Condition()
        self._crash: BaseException | None = None
        self._writer_is_done = inline
        if not inline:
            threading.Thread(
                target=self._write_until_closed, name="whiteroute ledger", daemon=True
            ).start()

    def __repr__(self) -> str:
        return f"<Ledger {self._store.where}, {self._waiting} waiting>"

    # For the engine

    def append(
        self, entries: Sequence[Entry], then: Callable[[Committed], None] | None = None
    ) -> None:
        """Hand records in; never waits and never refuses, except when closed.

        It does not refuse beyond the capacity, because an outcome that was already observed must
        not be lost: those who can wait ask `room` first, and tell a peer to retry when there is
        none.

        Args:
            entries: Written together with whatever else is waiting, in this order.
            then: Called once in the event loop with the effects, or with the error when nothing of
                `entries` was written. Never called before `append` returns. An exception in it
                ends the block of `open_ledger`.

        Raises:
            LedgerError: The ledger is closed.
        """
        if self._is_closing:
            raise LedgerError("the ledger is closed", "an open ledger", self._store.where)
        self._waiting += len(entries)
        with self._bell:
            self._queue.append(_Job(entries, then))
            self._bell.notify()
        if self._inline:
            self._woken.set()

    async def commit(self, entries: Sequence[Entry]) -> list[Effect]:
        """Write records and wait until they are on disk.

        Once the records were handed in the wait cannot be cancelled, for they will be written all
        the same, and their effects must not be lost; it lasts one or two writes of the disk.

        Returns:
            One effect for each entry.

        Raises:
            LedgerError: Nothing of `entries` was written.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        task = trio.lowlevel.current_task()

        def then(committed: Committed) -> None:
            trio.lowlevel.reschedule(task, outcome.Value(committed))

        self.append(entries, then)
        committed: Committed = await trio.lowlevel.wait_task_rescheduled(
            lambda _: trio.lowlevel.Abort.FAILED
        )
        if isinstance(committed, LedgerError):
            # One each: whoever was in the same batch raises its own.
            raise type(committed)(
                committed.found, committed.expected, committed.where
            ) from committed
        return committed

    async def purge(self, purge: Purge) -> Purged:
        """Take something out of the ledger, a few milliseconds at a time, and wait until it is gone.

        It goes on when nobody waits any more, and after a restart.

        Raises:
            LedgerError: The ledger cannot write now, or is closed meanwhile. What is purged by then
                stays so; the rest follows when it is opened again.
        """
        return await self._purging.wait(self._order(purge))

    def begin_purge(self, purge: Purge) -> None:
        """Have the same done, and do not wait for it.

        Raises:
            LedgerError: The ledger is closed.
        """
        self._order(purge)

    def _order(self, purge: Purge) -> Order:
        if self._is_closing:
            raise LedgerError("the ledger is closed", "an open ledger", self._store.where)
        with self._bell:
            order = self._purging.order(purge)
            self._bell.notify()
        if self._inline:
            self._woken.set()
        return order

    @property
    def room(self) -> int:
        """How many more records may wait; 0 or less: tell whoever can wait to wait."""
        return self._capacity - self._waiting

    async def wait_room(self) -> None:
        """Wait until there is room for one record or more."""
        while self.room <= 0:
            await self._room_wanted.park()

    def message(self, message_ref: str) -> MessageHistory | None:
        """Read everything about one message; None when it is not known."""
        return self.reader.message(message_ref)

    def statistics(self) -> LedgerStatistics:
        """Say how the ledger is doing."""
        return self._counts.statistics(
            where=self._store.where, waiting=self._waiting, room=self.room
        )

    # On the event loop

    async def _serve(self, nursery: trio.Nursery) -> None:
        """Tell callers what became of their records, until the last one was told."""
        try:
            # The records of a cancelled caller are written too, and others wait for theirs.
            with trio.CancelScope() as scope:
                scope.shield = True
                while True:
                    await self._woken.wait()
                    self._woken = trio.Event()
                    while self._inline and (self._write_next() or self._purging.go_on()):
                        pass
                    await self._tell()
                    if self._is_closing and self._writer_is_done and not self._finished:
                        self._purging.end()
                        return
        except BaseException:
            # Whatever went wrong ends the block, but those who still wait are told first.
            nursery.start_soon(self._serve, nursery)
            self._woken.set()
            raise

    async def _tell(self) -> None:
        crash, self._crash = self._crash, None
        if crash is not None:
            raise crash
        begun = time.perf_counter()
        while self._finished:
            if time.perf_counter() - begun > _TURN:
                # A thousand callers at once would hold up whoever answers enquire_links.
                await trio.lowlevel.checkpoint()
                begun = time.perf_counter()
            job = self._finished.popleft()
            self._waiting -= len(job.entries)
            if job.then is not None:
                job.then(self._never_written() if job.committed is None else job.committed)
        if self.room > 0:
            self._room_wanted.unpark_all()

    def _never_written(self) -> LedgerError:
        return LedgerError("the writer broke down", "a writer that works", self._store.where)

    def _wake(self) -> None:
        self._woken.set()

    def _close(self) -> None:
        """Take no more records; `_serve` ends when all that came were told about."""
        self._is_closing = True
        self._woken.set()
        with self._bell:
            self._bell.notify()

    # In the writer, which is a thread or, inline, the event loop

    def _write_until_closed(self) -> None:
        try:
            while True:
                with self._bell:
                    while not self._queue and not self._is_closing:
                        due = self._purging.due()
                        if due == 0:
                            break
                        self._bell.wait(due)
                if self._write_next():
                    self._token.run_sync_soon(self._wake)
                elif self._is_closing:
                    return
                if self._purging.due() == 0:
                    self._purging.go_on()
        except BaseException as crash:  # noqa: BLE001 - raised again by _tell, on the event loop
            self._crash = crash
        finally:
            with self._bell:
                self._is_closing = True
                self._finished.extend(self._queue)
                self._queue.clear()
            self._writer_is_done = True
            self._token.run_sync_soon(self._wake)

    def _write_next(self) -> bool:
        """Write what waits, in order, as much as one transaction may hold; say whether any did."""
        group: list[_Job] = []
        size = 0
        with self._bell:
            while self._queue and (
                not group or size + len(self._queue[0].entries) <= _LARGEST_GROUP
            ):
                group.append(self._queue.popleft())
                size += len(group[-1].entries)
        try:
            self._write_group(group, size)
        finally:
            self._finished.extend(group)
        return bool(group)

    def _write_group(self, group: list[_Job], size: int) -> None:
        if not group:
            return
        entries = [entry for job in group for entry in job.entries]
        begun = time.perf_counter()
        try:
            effects = self._store.write(entries)
        except LedgerError as error:
            self._counts.count(size, time.perf_counter() - begun, error)
            if isinstance(error, EntryError) and len(group) > 1:
                # One caller's record cannot be stored; the others' can.
                for job in group:
                    self._write_group([job], len(job.entries))
            else:
                for job in group:
                    job.committed = error
            return
        self._counts.count(size, time.perf_counter() - begun, None)
        start = 0
        for job in group:
            end = start + len(job.entries)
            job.committed = effects[start:end]
            start = end
