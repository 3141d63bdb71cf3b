"""A ledger that lives and dies with its process, for tests and for engines that keep no history.

It means the same by every record as the file does, because both ask the same `Book`. It breaks the
second promise by its nature: after a crash nothing is known. Reading is `memory_reader.py`.
"""

from collections.abc import Iterable, Sequence

import attrs

from whiteroute.engine.messages import (
    KEEP_ALL,
    AttemptEnded,
    AttemptOutcome,
    Book,
    DeliveryState,
    Doubt,
    Effect,
    Entry,
    Mark,
    Privacy,
    RunStarted,
)

from .memory_purge import purge_contents
from .memory_reader import Contents, MemoryReader
from .purge import Purge, Purged

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps a ledger in memory; see `LedgerStore`. Grows for ever, unless it is purged.

    Args:
        privacy: What is kept of persons.
    """

    def __init__(self, *, privacy: Privacy = KEEP_ALL) -> None:
        self._contents = Contents(book=Book(privacy=privacy))
        self._purges: list[Purge] = []
        self._purged = 0
        """Orders to purge that were ever taken."""

    @property
    def where(self) -> str:
        """Always `memory`."""
        return "memory"

    def __repr__(self) -> str:
        return f"<MemoryStore of {len(self._contents.taken)} messages>"

    def write(self, entries: Sequence[Entry]) -> list[Effect]:
        """Write records in order; see `LedgerStore.write`."""
        contents = self._contents
        book = contents.book
        with contents.guard:
            contents.has_writer = True
            effects = [book.enter(entry) for entry in entries]
            for message in book.changes.messages:
                if message.taken is not None:
                    contents.taken[message.message_ref] = message.taken
            for line in book.strip():
                taken = contents.taken[line.message_ref]
                contents.taken[line.message_ref] = book.privacy.taken(taken)
            for entry in book.changes.rerouted:
                taken = contents.taken[entry.message_ref]
                contents.taken[entry.message_ref] = attrs.evolve(taken, decision=entry.decision)
            contents.receipts += [line for line in book.changes.receipts if line.mark is Mark.NEW]
            contents.inbound += book.changes.inbound
            contents.conversations += [
                line for line in book.changes.inbound_lines if line.mark is Mark.NEW
            ]
            contents.link_changes += book.changes.link_changes
            for run in book.changes.runs:
                contents.enter_run(run)
            contents.ceilings.update({entry.carrier: entry for entry in book.changes.ceilings})
            contents.route_changes += book.changes.route_changes
            for kept in book.changes.evidence:
                contents.evidence[kept.route, kept.area, kept.traffic_class] = kept
            book.changes.settle()
        return effects

    def known(self, message_refs: Iterable[str]) -> dict[str, DeliveryState]:
        """Say which of these messages are in the ledger; see `LedgerStore.known`."""
        messages = self._contents.book.messages
        return {ref: messages[ref].state for ref in message_refs if ref in messages}

    def recover(self, now_at: int) -> tuple[Doubt, ...]:
        """Mark every attempt without an outcome as IN_DOUBT; see `LedgerStore.recover`."""
        doubts = self._contents.doubts({DeliveryState.SENT})
        self.write(
            [
                RunStarted(started_at=now_at),
                *(
                    AttemptEnded(
                        message_ref=doubt.message_ref,
                        part=doubt.part,
                        attempt=doubt.attempt,
                        ended_at=now_at,
                        outcome=AttemptOutcome.IN_DOUBT,
                    )
                    for doubt in doubts
                ),
            ]
        )
        return doubts

    def begin_purge(self, purge: Purge) -> int:
        """Note that something is to be purged; see `LedgerStore.begin_purge`."""
        self._purges.append(purge)
        self._purged += 1
        return self._purged

    def purge_some(self, seconds: float) -> Purged | None:
        """Purge all that was noted first, at once; see `LedgerStore.purge_some`."""
        if not self._purges:
            return None
        order = self._purged - len(self._purges) + 1
        purge = self._purges.pop(0)
        with self._contents.guard:
            return attrs.evolve(purge_contents(self._contents, purge), order=order)

    def open_reader(self) -> MemoryReader:
        """Make something to read with."""
        return MemoryReader(self._contents)

    def close(self) -> None:
        """Stop owning it. What it holds stays readable, and the next `write` owns it again."""
        self._contents.has_writer = False
