"""What the engine tells the application: receipts, replies, and how the binds are.

Each event is told after what it says is in the ledger.
"""

from collections.abc import Mapping

import attrs

from whiteroute.engine.carrier import LinkChange
from whiteroute.engine.messages import DeliveryState, MappedError

__all__ = ["EngineEvent", "InboundMessage", "LinkEvent", "ReceiptEvent"]


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
    """Somebody wrote to us, whole or as one segment. Treat it as a value."""

    inbound_ref: str
    carrier: str
    source_addr: str = attrs.field(repr=False)
    destination_addr: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    at: int
    """When it came, microseconds since the epoch, UTC."""


@attrs.frozen(kw_only=True)
class LinkEvent:
    """A bind came up, went down, was refused, or will not be tried again until told."""

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
        """`bound`, `lost`, `refused`, `unreachable` or `stopped`."""
        return self.change.what

    @property
    def cause(self) -> str:
        """For people."""
        return self.change.cause

    @property
    def command_status(self) -> int | None:
        """The status of a refused bind."""
        return self.change.command_status


EngineEvent = ReceiptEvent | InboundMessage | LinkEvent
"""Everything that `Engine.events` gives."""
