"""What writing a record turned out to mean: one effect for each record, in the same order.

An effect is told after the record is on disk, so whoever acts on it acts on something that will
still be true after a crash. Effects carry what an event for the user needs, because the message may
have been taken by a process that is long gone.
"""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from .conversations import InboundRecord
from .records import ReceiptArrived
from .states import DeliveryState

__all__ = [
    "Conflicting",
    "Contradicted",
    "Duplicate",
    "Effect",
    "Held",
    "InboundReady",
    "Known",
    "Matched",
    "Parked",
    "ReceiptVerdict",
    "Recorded",
]


class ReceiptVerdict(StrEnum):
    """What became of a receipt; kept beside it."""

    MATCHED = "MATCHED"
    PARKED = "PARKED"
    """Its message is not known yet; it waits for the response, also over a restart."""
    ORPHANED = "ORPHANED"
    """It waited too long, or names no id to wait for. An answer that comes late all the same takes it."""
    REPEATED = "REPEATED"
    """It says again what an earlier one said, in other words or with another date. One that says
    it in the same words is not kept at all."""
    CONFLICTING = "CONFLICTING"
    """It contradicts an earlier final one. The first one stands."""
    DUPLICATE_SUSPECTED = "DUPLICATE_SUSPECTED"
    """It reports as delivered an attempt that was given up for a later one."""


@attrs.define(weakref_slot=False, kw_only=True)
class Recorded:
    """Written down; nothing more to say."""

    message_ref: str = ""
    """Empty for what belongs to no message."""
    before: DeliveryState | None = None
    """Where the message stood; None when it was not known before."""
    after: DeliveryState | None = None
    receipts: "tuple[Matched | Conflicting, ...]" = ()
    """Parked receipts that found their message by this answer, oldest first."""


@attrs.define(weakref_slot=False, kw_only=True)
class Known:
    """A message with this ref was taken before; nothing was written, and it must not be sent."""

    message_ref: str
    state: DeliveryState
    """Where that one stands."""


@attrs.define(weakref_slot=False, kw_only=True)
class Held:
    """An attempt that must not be sent: the part may already be with a carrier. Nothing was
    written.

    Comes for a part that is being sent, is finished, or is accepted or in doubt under the duplicate
    policy `hold`.
    """

    message_ref: str
    part: int
    state: DeliveryState
    """Where the part stands."""


@attrs.define(weakref_slot=False, kw_only=True)
class Contradicted:
    """A record that cannot be true of what the ledger holds; nothing was written.

    E.g. the outcome of an attempt that never started, or that already has another one. It is a
    fault of the writer, and not a reason to lose the rest of its batch.
    """

    message_ref: str
    found: str
    """What is wrong with it, in words."""


@attrs.define(weakref_slot=False, kw_only=True)
class Matched:
    """A receipt found its attempt. The states are those of the whole message."""

    receipt: ReceiptArrived
    message_ref: str
    part: int
    """Counts from 1."""
    part_count: int
    attempt: int
    before: DeliveryState
    after: DeliveryState
    part_after: DeliveryState
    latency: float | None
    """Seconds from the carrier's acceptance to the receipt, on our clock. Where no acceptance came
    before the receipt, from the moment before the part was written."""
    before_response: bool
    """The receipt overtook the response."""
    duplicate_suspected: bool
    """It reports as delivered an attempt that was given up for a later one, or a second one."""
    to: str = attrs.field(repr=False)
    traffic_class: str
    tags: Mapping[str, str] = attrs.field(repr=False)
    carrier: str
    """Where this attempt went, which need not be where the latest one went."""
    route: str
    network: str


@attrs.define(weakref_slot=False, kw_only=True)
class Parked:
    """A receipt for a message_id that no answer has given yet; kept, and matched when one does.

    It may be acknowledged: it is on disk.
    """

    receipt: ReceiptArrived
    is_orphan: bool = False
    """It names no id, so it waits for nothing."""


@attrs.define(weakref_slot=False, kw_only=True)
class Duplicate:
    """A record that was written before; nothing changes.

    For a receipt: the carrier repeats itself, because it missed our acknowledgement. For an inbound
    message: the same `inbound_ref`.
    """

    message_ref: str = ""
    part: int = 0
    """0 for a parked receipt and for an inbound message."""
    attempt: int = 0


@attrs.define(weakref_slot=False, kw_only=True)
class Conflicting:
    """A final receipt that contradicts the first one; it is kept, and the first one stands."""

    receipt: ReceiptArrived
    message_ref: str
    part: int
    attempt: int
    state: DeliveryState
    """What the first one said."""
    told: DeliveryState
    """What this one says."""


@attrs.define(weakref_slot=False, kw_only=True)
class InboundReady:
    """A message from a handset can be told to the application: it is whole, or as whole as it gets."""

    message: InboundRecord


Effect = (
    InboundReady
    | Recorded
    | Known
    | Held
    | Contradicted
    | Matched
    | Parked
    | Duplicate
    | Conflicting
)
"""What a record can turn out to mean."""
