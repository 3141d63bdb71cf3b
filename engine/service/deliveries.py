"""Messages from handsets on their way to the application: told until it says that it has them.

At least once: what was not acknowledged is told again after a restart, and what came while nobody
listened is told as soon as somebody does. The name it is told by never changes, so that an application
can see that it has it already.
"""

from collections.abc import Awaitable, Callable

import attrs

from whiteroute.engine.ledger import LedgerReader
from whiteroute.engine.messages import InboundAcknowledged, InboundRecord

from .events import InboundMessage
from .recorder import Recorder
from .subscriptions import Subscriptions

__all__ = ["Deliveries"]

BATCH = 200

Read = Callable[
    [Callable[[LedgerReader], tuple[InboundRecord, ...]]], Awaitable[tuple[InboundRecord, ...]]
]
"""Asks the ledger something that may take its time."""


@attrs.define(eq=False, kw_only=True)
class Deliveries:
    """Tells messages from handsets, and notes which ones the application has."""

    recorder: Recorder
    now_at: Callable[[], int]
    subscriptions: Subscriptions
    _told: set[str] = attrs.field(factory=set[str], init=False)
    """Those told as they came, which the walk through the ledger has not passed yet."""
    _passed: int = attrs.field(default=0, init=False)
    """The number of the last one that the walk has passed."""

    def tell(self, record: InboundRecord) -> None:
        """Tell a message as it comes, if anybody listens."""
        if self.subscriptions.has_listeners:
            self._told.add(record.inbound_ref)
            self.subscriptions.publish((self._event(record),))

    async def tell_again(self, read: Read) -> None:
        """Tell what nobody has been told in this run and nobody has acknowledged, as there is room."""
        while self.subscriptions.has_listeners and not self.subscriptions.are_full:
            found = await read(self._untold)
            for record in found:
                self._passed = record.number
                if record.inbound_ref in self._told:
                    self._told.remove(record.inbound_ref)
                else:
                    self.subscriptions.publish((self._event(record),))
            if len(found) < BATCH:
                return

    def _untold(self, reader: LedgerReader) -> tuple[InboundRecord, ...]:
        return reader.unacknowledged(self._passed, BATCH)

    def _event(self, record: InboundRecord) -> InboundMessage:
        return InboundMessage(
            inbound_ref=record.inbound_ref,
            carrier=record.carrier,
            source_addr=record.source_addr,
            destination_addr=record.destination_addr,
            text=record.text,
            at=record.received_at,
            parts=record.total,
            missing=record.missing,
            reply_to=record.reply_to,
            acknowledge=self._acknowledge,
        )

    def _acknowledge(self, inbound_ref: str) -> None:
        self._told.discard(inbound_ref)
        self.recorder.record(
            [InboundAcknowledged(inbound_ref=inbound_ref, acknowledged_at=self.now_at())]
        )
