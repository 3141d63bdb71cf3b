"""What the engine tells the application: receipts, replies, how the binds are, and how far routes are trusted.

Each event is told after what it says is in the ledger.
"""

from collections.abc import Callable, Mapping

import attrs

from whiteroute.engine.carrier import LinkChange
from whiteroute.engine.messages import DeliveryState, MappedError
from whiteroute.engine.upkeep import CeilingChange
from whiteroute.routing import Finding, RouteState

__all__ = [
    "CeilingEvent",
    "EngineEvent",
    "InboundMessage",
    "LinkEvent",
    "OrphanReceipt",
    "OverdueEvent",
    "ReceiptEvent",
    "RouteEvent",
]


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class ReceiptEvent:
    """A receipt found its message. Made per receipt; treat it as a value."""

    message_ref: str
    part: int
    """Counts from 1."""
    parts: int = 0
    """How many parts the message has; 0 when the receipt is a conflicting one."""
    to: str = attrs.field(repr=False)
    state: DeliveryState
    """Where the whole message stands now."""
    part_state: DeliveryState
    carrier: str
    route: str = ""
    message_id: str
    """The carrier's, as it stood in the receipt."""
    error: MappedError
    """What the codes mean; NONE when it was delivered."""
    stat: str
    err: str
    latency: float | None = None
    """Seconds from the carrier's acceptance, on our clock."""
    conflicting: bool = False
    """It contradicts an earlier final receipt, which stands."""
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    at: int
    """When it came, microseconds since the epoch, UTC."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class InboundMessage:
    """Somebody wrote to us. Treat it as a value.

    It is told at least once: again after a restart, until `ack` was called.
    """

    inbound_ref: str
    """Ours; the same each time the message is told."""
    carrier: str
    source_addr: str = attrs.field(repr=False)
    destination_addr: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    at: int
    """When its first segment came, microseconds since the epoch, UTC."""
    parts: int = 1
    """How many segments it was sent in."""
    missing: tuple[int, ...] = ()
    """Segments that did not come in time, counted from 1; the text is without them."""
    reply_to: str = ""
    """message_ref of our last message in this conversation; empty when there is none."""
    acknowledge: Callable[[str], None] | None = attrs.field(default=None, repr=False, eq=False)

    def ack(self) -> None:
        """Say that the application has it for good, so that it is not told again.

        Call it once the message is safe: what was told and not acknowledged is told again by the next
        engine that opens this ledger. Written in the background; calling it again is harmless.
        """
        if self.acknowledge is not None:
            self.acknowledge(self.inbound_ref)


@attrs.frozen(kw_only=True)
class LinkEvent:
    """A bind came up, went down, was refused or will not be tried again, or a carrier was suspended."""

    change: LinkChange
    at: int
    """Microseconds since the epoch, UTC."""

    @property
    def carrier(self) -> str:
        """Whose bind."""
        return self.change.carrier

    @property
    def link(self) -> str:
        """Which bind, e.g. `acme/1`."""
        return self.change.link

    @property
    def what(self) -> str:
        """As in `LinkChange.what`, e.g. `bound` or `lost`."""
        return self.change.what

    @property
    def cause(self) -> str:
        """For people."""
        return self.change.cause

    @property
    def command_status(self) -> int | None:
        """The status of a refused bind."""
        return self.change.command_status


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class OverdueEvent:
    """The final receipt of a message should have come by now. Made per message; treat it as a value.

    One that comes late all the same is taken, and told as a `ReceiptEvent`.
    """

    message_ref: str
    to: str = attrs.field(repr=False)
    state: DeliveryState
    """OVERDUE when the carrier had accepted it; IN_DOUBT when nobody ever knew."""
    carrier: str
    route: str
    network: str
    """E.g. `214-07`."""
    traffic_class: str
    taken_at: int
    due_at: int
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    at: int
    """When it was found, microseconds since the epoch, UTC."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class OrphanReceipt:
    """A receipt that belongs to no message: nobody sent it, or another system on the same account did.

    It stays in the ledger, and finds its message if an answer ever names its message_id.
    """

    carrier: str
    message_id: str
    """As it stood in the receipt; empty when it named none."""
    error: MappedError
    stat: str
    err: str
    source_addr: str = attrs.field(repr=False)
    """The handset."""
    destination_addr: str = attrs.field(repr=False)
    """The sender it was sent as."""
    received_at: int
    at: int
    """When we gave up waiting, microseconds since the epoch, UTC."""


@attrs.frozen(kw_only=True)
class RouteEvent:
    """A route is trusted more, or less, for one network and class. QUARANTINED and PROBATION carry no
    messages of the application.
    """

    route: str
    network: str
    """E.g. `214-07`."""
    traffic_class: str
    before: RouteState
    after: RouteState
    findings: tuple[Finding, ...] = ()
    """What stood against it at that moment, each with its numbers."""
    actor: str = ""
    """Who released it; empty if it changed by itself."""
    note: str = ""
    at: int
    """Microseconds since the epoch, UTC."""


@attrs.frozen(kw_only=True)
class CeilingEvent:
    """What a carrier bears was found to be lower or higher than it was told last."""

    change: CeilingChange
    at: int
    """Microseconds since the epoch, UTC."""


EngineEvent = (
    ReceiptEvent
    | InboundMessage
    | LinkEvent
    | CeilingEvent
    | RouteEvent
    | OverdueEvent
    | OrphanReceipt
)
"""Everything that `Engine.events` gives."""
