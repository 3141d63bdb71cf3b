"""What carriers deliver: receipts and replies, written down before they are acknowledged.

Nothing here waits: what the ledger or a listener cannot take now, the carrier is told to deliver
again.
"""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

import attrs

from whiteroute.engine.carrier import Carrier
from whiteroute.engine.ledger import Committed, Ledger, LedgerError
from whiteroute.engine.link import Link
from whiteroute.engine.messages import (
    NO_ERROR,
    Conflicting,
    Effect,
    Entry,
    InboundReader,
    InboundReady,
    Matched,
    Parked,
    ReceiptArrived,
)
from whiteroute.engine.session import refusal
from whiteroute.pdu import OPERATIONS, CommandStatus, DataSm, DeliverSm, Pdu, response_id

from .deliveries import Deliveries
from .events import EngineEvent, OrphanReceipt, ReceiptEvent
from .subscriptions import Subscriptions

__all__ = ["Inbound", "orphan_receipt", "receipt_event"]


@attrs.define(eq=False, kw_only=True)
class Inbound:
    """Reads, remembers, acknowledges and tells."""

    kept: Ledger
    random: Random
    now_at: Callable[[], int]
    readers: Mapping[str, InboundReader]
    subscriptions: Subscriptions
    deliveries: Deliveries
    heard: Callable[[list[Effect]], None]
    """Takes receipts as evidence."""

    def arrived(self, carrier: Carrier, link: Link, pdus: list[Pdu]) -> None:
        """Remember receipts and replies; each is acknowledged once it is on disk."""
        received_at = self.now_at()
        reader = self.readers[carrier.name]
        full = self.kept.room < len(pdus) or self.subscriptions.are_full
        requests: list[Pdu] = []
        entries: list[Entry] = []
        for pdu in pdus:
            if response_id(pdu.command_id) is None:
                continue
            if not isinstance(pdu, DeliverSm | DataSm):
                link.respond(pdu, refusal(pdu, CommandStatus.ESME_RINVCMDID))
            elif full:
                link.respond(pdu, refusal(pdu, CommandStatus.ESME_RX_T_APPN))
            else:
                requests.append(pdu)
                inbound_ref = f"{received_at:x}-{self.random.getrandbits(48):012x}"
                entries.append(
                    reader.read(
                        pdu, link=link.name, received_at=received_at, inbound_ref=inbound_ref
                    )
                )
        if entries:
            self.kept.append(entries, partial(self._delivered, link, requests))

    def _delivered(self, link: Link, requests: list[Pdu], committed: Committed) -> None:
        if isinstance(committed, LedgerError):
            for request in requests:
                link.respond(request, refusal(request, CommandStatus.ESME_RX_T_APPN))
            return
        events: list[EngineEvent] = []
        for request, effect in zip(requests, committed, strict=True):
            response = response_id(request.command_id)
            assert response is not None
            link.respond(request, OPERATIONS[response]())
            if isinstance(effect, Matched | Conflicting):
                events.append(receipt_event(effect))
            elif isinstance(effect, Parked) and effect.is_orphan:
                events.append(orphan_receipt(effect.receipt, effect.receipt.received_at))
            elif isinstance(effect, InboundReady):
                self.deliveries.tell(effect.message)
        self.subscriptions.publish(events)
        if events:
            self.heard(committed)


def orphan_receipt(receipt: ReceiptArrived, at: int) -> OrphanReceipt:
    """Say to the application that a receipt belongs to nobody."""
    return OrphanReceipt(
        carrier=receipt.carrier,
        message_id=receipt.message_id,
        error=receipt.error or NO_ERROR,
        stat=receipt.stat,
        err=receipt.err,
        source_addr=receipt.source_addr,
        destination_addr=receipt.destination_addr,
        received_at=receipt.received_at,
        at=at,
    )


def receipt_event(effect: Matched | Conflicting) -> ReceiptEvent:
    """Say to the application what a receipt turned out to mean."""
    receipt = effect.receipt
    event = partial(
        ReceiptEvent,
        message_ref=effect.message_ref,
        part=effect.part,
        carrier=receipt.carrier,
        message_id=receipt.message_id,
        error=receipt.error or NO_ERROR,
        stat=receipt.stat,
        err=receipt.err,
        at=receipt.received_at,
    )
    if isinstance(effect, Conflicting):
        return event(
            to=receipt.source_addr, state=effect.state, part_state=effect.told, conflicting=True
        )
    return event(
        parts=effect.part_count,
        to=effect.to,
        state=effect.after,
        part_state=effect.part_after,
        route=effect.route,
        latency=effect.latency,
        tags=effect.tags,
    )
