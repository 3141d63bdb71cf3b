"""What only time brings about: looked after once in a while, in rounds, by one task for the engine.

Messages whose receipt never came, receipts whose message never came, and a sign of life for those who
later want to know when there was an engine to notice things. Nothing here is ever in a hurry, so it
waits for the ledger like everybody else, and leaves what failed to the next round.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import TypeVar

import attrs
import trio

from whiteroute.engine.ledger import (
    Ledger,
    LedgerError,
    LedgerReader,
    MessageRecord,
    Purge,
    ReceiptRecord,
)
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    DeliveryState,
    Doubt,
    Effect,
    Entry,
    InboundGivenUp,
    InboundReady,
    MessageClosed,
    Privacy,
    ReceiptOrphaned,
    Recorded,
    RunSeen,
    find_adopter,
    quoted_text,
)

from .attempts import Attempts
from .deliveries import Deliveries
from .events import OverdueEvent
from .inbound import orphan_receipt
from .subscriptions import Subscriptions

__all__ = ["PARKED_TIME", "Rounds"]

SEGMENTS_TIME = 600.0
"""Seconds from a message's first segment until it is told without those that miss. They come within
seconds of each other; ten minutes leave room for a bind that was lost between them."""

PARKED_TIME = 60.0
"""Seconds that a receipt waits beyond the longest time for an answer. Receipts overtake answers by
fractions of a second; a minute is for answers that were long in coming themselves."""

INTERVAL = 30.0
"""Seconds between two rounds. So exact is what is known of when an engine was killed, and so late may
be an event about something that is hours old."""

FIRST_DELAY = 1.0
"""Seconds until the first one; by then whoever opened the engine listens to what it has to tell."""

PURGE_INTERVAL = 3600.0
"""Seconds between two purges of what is older than the retention, which is counted in days."""

BATCH = 200
"""Lines looked at and written at once: a few milliseconds of the ledger's time."""

_Found = TypeVar("_Found")


@attrs.define(eq=False, kw_only=True)
class Rounds:
    """Goes its rounds until it is cancelled."""

    kept: Ledger
    now_at: Callable[[], int]
    subscriptions: Subscriptions
    open_reader: Callable[[], LedgerReader]
    attempts: Attempts
    """Tells of receipts that found their message."""
    deliveries: Deliveries
    missed: Callable[[OverdueEvent], None]
    """Takes overdue messages as evidence."""
    parked_time: float
    """Seconds that a receipt waits for an answer. Longer than any answer is waited for: before that
    an attempt is not in doubt yet, and cannot adopt it."""
    privacy: Privacy
    """How the ledger keeps numbers: doubts that keep theirs compare with receipts by it."""
    retention: float | None
    """Seconds after which the ledger forgets what is over; None: never."""
    inline: bool
    """Whether the ledger is read on the event loop instead of in a thread."""
    _reader: LedgerReader | None = attrs.field(default=None, init=False)
    _purged_at: float = attrs.field(default=-inf, init=False)
    """When old lines were purged last, by Trio's clock."""

    async def run(self) -> None:
        """Go rounds for as long as the engine runs, and leave a last sign of life at its end."""
        try:
            await trio.sleep(FIRST_DELAY)
            while True:
                self._give_sign_of_life()
                # What cannot be read or written now is found again by the next round.
                with suppress(LedgerError):
                    await self._go_round()
                await trio.sleep(INTERVAL)
        finally:
            with suppress(LedgerError):
                self._give_sign_of_life()
            if self._reader is not None:
                self._reader.close()

    def _give_sign_of_life(self) -> None:
        self.kept.append([RunSeen(seen_at=self.now_at())])

    async def _go_round(self) -> None:
        await self._give_up_segments()
        await self.deliveries.tell_again(self._read)
        await self._settle_parked()
        await self._close_overdue()
        self._forget_old()

    # Messages from handsets.

    async def _give_up_segments(self) -> None:
        """Tell messages whose missing segments have been waited for long enough."""
        now_at = self.now_at()
        before_at = now_at - int(SEGMENTS_TIME * 1e6)
        while True:
            found = await self._read(lambda reader: reader.incomplete(before_at, BATCH))
            effects = await self._write(
                [
                    InboundGivenUp(inbound_ref=record.inbound_ref, given_up_at=now_at)
                    for record in found
                ]
            )
            for effect in effects:
                if isinstance(effect, InboundReady):
                    self.deliveries.tell(effect.message)
            if len(found) < BATCH:
                return

    # Receipts whose message never came.

    async def _settle_parked(self) -> None:
        """Have doubts adopt the receipts that can only speak of them, and tell of the others."""
        now_at = self.now_at()
        before_at = now_at - int(self.parked_time * 1e6)
        doubts: list[Doubt] | None = None
        while True:
            found = await self._read(lambda reader: reader.parked(before_at, BATCH))
            if not found:
                return
            if doubts is None:
                # After the receipts, so that no doubt is too young to be among them.
                found_doubts = await self._read(lambda reader: reader.doubts())
                doubts = [self.privacy.doubt(doubt) for doubt in found_doubts]
            entries = [self._settled(record, doubts, now_at) for record in found]
            effects = await self._write(entries)
            self.attempts.publish_receipts(effects)
            self.subscriptions.publish(
                orphan_receipt(record.receipt, now_at)
                for record, entry, effect in zip(found, entries, effects, strict=True)
                if isinstance(entry, ReceiptOrphaned) and isinstance(effect, Recorded)
            )
            if len(found) < BATCH or not _was_any_written(effects):
                return

    def _settled(self, record: ReceiptRecord, doubts: list[Doubt], now_at: int) -> Entry:
        """Say what becomes of a parked receipt; a doubt that adopts it is one no more."""
        receipt = record.receipt
        adopter = find_adopter(receipt, doubts, quoted=quoted_text(receipt.octets))
        if adopter is None:
            return ReceiptOrphaned(
                number=record.number, message_id_key=receipt.message_id_key, orphaned_at=now_at
            )
        doubts.remove(adopter)
        return AttemptEnded(
            message_ref=adopter.message_ref,
            part=adopter.part,
            attempt=adopter.attempt,
            ended_at=now_at,
            outcome=AttemptOutcome.ACCEPTED,
            message_id=receipt.message_id,
            message_id_key=receipt.message_id_key,
            adopted=True,
        )

    # Messages whose receipt never came.

    async def _close_overdue(self) -> None:
        now_at = self.now_at()
        while True:
            found = await self._read(lambda reader: reader.overdue(now_at, BATCH))
            closing: list[Entry] = [
                MessageClosed(
                    message_ref=record.message_ref,
                    closed_at=now_at,
                    state=_CLOSED_AS[record.state],
                    error_code=record.error_code,
                )
                for record in found
            ]
            effects = await self._write(closing)
            events = [
                _overdue_event(record, effect, now_at)
                for record, effect in zip(found, effects, strict=True)
                if isinstance(effect, Recorded)
            ]
            self.subscriptions.publish(events)
            for event in events:
                self.missed(event)
            if len(found) < BATCH or not _was_any_written(effects):
                return

    # What is over, and has been for long enough.

    def _forget_old(self) -> None:
        """Have the ledger forget it, once an hour and without waiting for that."""
        if self.retention is None or trio.current_time() < self._purged_at + PURGE_INTERVAL:
            return
        now_at = self.now_at()
        before_at = now_at - int(self.retention * 1e6)
        if before_at > 0:
            self.kept.begin_purge(Purge(begun_at=now_at, before_at=before_at))
        self._purged_at = trio.current_time()

    # The ledger.

    async def _read(self, ask: Callable[[LedgerReader], _Found]) -> _Found:
        """Ask the ledger something that may take its time."""
        if self.inline:
            await trio.lowlevel.checkpoint()
            return ask(self.kept.reader)
        return await trio.to_thread.run_sync(self._ask, ask)

    def _ask(self, ask: Callable[[LedgerReader], _Found]) -> _Found:
        # A reader of its own, because one reader is not for two threads at a time.
        if self._reader is None:
            self._reader = self.open_reader()
        return ask(self._reader)

    async def _write(self, entries: Sequence[Entry]) -> list[Effect]:
        """Write when there is room, so that messages and receipts go first."""
        if not entries:
            return []
        await self.kept.wait_room()
        return await self.kept.commit(entries)


_CLOSED_AS = {
    DeliveryState.ACCEPTED: DeliveryState.OVERDUE,
    DeliveryState.IN_DOUBT: DeliveryState.IN_DOUBT,
}


def _was_any_written(effects: Sequence[Effect]) -> bool:
    """Say whether asking again would give other lines than these."""
    return any(isinstance(effect, Recorded) for effect in effects)


def _overdue_event(record: MessageRecord, effect: Recorded, now_at: int) -> OverdueEvent:
    return OverdueEvent(
        message_ref=record.message_ref,
        to=record.to,
        state=record.state if effect.after is None else effect.after,
        carrier=record.carrier,
        route=record.route,
        network=record.network,
        traffic_class=record.traffic_class,
        taken_at=record.taken_at,
        due_at=record.due_at or now_at,
        tags=record.tags,
        at=now_at,
    )
