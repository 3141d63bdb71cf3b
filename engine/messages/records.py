"""What is written into the ledger: one record for each thing that happened to a message.

A record says what happened, in the words of whoever saw it happen; it never says what follows from
it. That is worked out by `matching.py` while the record is written. Records are made per message, so
they are slotted and mutable for speed (frozen ones cost five times as much to make); treat them as
values all the same.

Every instant is in microseconds since the epoch, UTC, as an integer, and ends in `_at`. Texts,
numbers and raw octets are left out of every `repr`, so that a log line never holds what a person
wrote to whom.
"""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from .canonical import MappedError
from .states import DeliveryState, ReceiptNews, ReportingParts

__all__ = [
    "AttemptEnded",
    "AttemptOutcome",
    "AttemptStarted",
    "Entry",
    "InboundArrived",
    "LinkChanged",
    "MessageClosed",
    "MessageTaken",
    "ReceiptArrived",
]


class AttemptOutcome(StrEnum):
    """How one submit_sm ended."""

    ACCEPTED = "ACCEPTED"
    """Answered with ESME_ROK."""
    REFUSED = "REFUSED"
    """Answered with another status: certainly not accepted."""
    NOT_WRITTEN = "NOT_WRITTEN"
    """No octet of it was handed to the socket: certainly not accepted."""
    IN_DOUBT = "IN_DOUBT"
    """Written and never answered: it may have been accepted."""


@attrs.define(weakref_slot=False, kw_only=True)
class MessageTaken:
    """The engine took a message and routed it, or refused it for want of a direct route.

    Written before the first attempt. When the ledger knows `message_ref` already nothing is written
    and the effect is `Known`: the message must not be sent again.
    """

    message_ref: str
    """Ours, unique for ever in one ledger."""
    to: str = attrs.field(repr=False)
    sender: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    traffic_class: str = "transactional"
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """The caller's own columns, e.g. `{"campaign": "autumn"}`."""
    duplicate_policy: str = "hold"
    """`hold`: an attempt in doubt is never repeated; `allow`: the caller prefers two to none."""
    taken_at: int
    valid_until_at: int | None = None
    """When it is worthless; None leaves that to the carrier."""
    state: DeliveryState = DeliveryState.QUEUED
    """QUEUED or REFUSED."""
    route: str = ""
    carrier: str = ""
    """The carrier's name in the configuration, as the chosen route says; empty when refused."""
    network: str = ""
    """E.g. `214-07`; empty when the number belongs to no known network."""
    part_count: int = 1
    reporting_parts: ReportingParts = "all"
    """Which parts this carrier sends receipts for; from its profile."""
    decision: str = attrs.field(default="", repr=False)
    """The routing decision with every reason, as JSON text."""
    error_code: str = ""
    """Why it was refused, e.g. `NO_DIRECT_ROUTE`; empty when it was not."""


@attrs.define(weakref_slot=False, kw_only=True)
class AttemptStarted:
    """A submit_sm is about to be written; committed before its first octet leaves.

    Parts and attempts count from 1. The number of an attempt is the caller's: one more than the
    part's last.
    """

    message_ref: str
    part: int = 1
    attempt: int = 1
    carrier: str
    route: str = ""
    started_at: int


@attrs.define(weakref_slot=False, kw_only=True)
class AttemptEnded:
    """A submit_sm was answered, or never will be.

    May come twice for one attempt: IN_DOUBT first, and a late answer afterwards, which settles it.
    """

    message_ref: str
    part: int = 1
    attempt: int = 1
    ended_at: int
    outcome: AttemptOutcome
    retrying: bool = False
    """Another attempt will follow, so the part is QUEUED rather than REFUSED. Only meaningful for
    REFUSED and NOT_WRITTEN."""
    message_id: str = ""
    """The carrier's, as it stood in the response; empty when it gave none."""
    message_id_key: str = ""
    """`message_id` under the profile's rule for responses; receipts are matched by it. Empty means
    that no receipt can ever be matched."""
    command_status: int | None = None
    """As it stood in the response; None when none came."""
    network_error_code: bytes = b""
    """The TLV's raw value, where the response had it."""
    error: MappedError | None = None
    """What the refusal means; None when accepted. Its raw values are those of the response."""
    adopted: bool = False
    """No answer came: an orphan receipt showed that the carrier took it, and gave the message_id.
    See `find_adopter`."""


@attrs.define(weakref_slot=False, kw_only=True)
class MessageClosed:
    """The engine itself ended a message, or gave up waiting for it.

    `state` says how: REFUSED, EXPIRED or CANCELLED end what is still queued; OVERDUE marks what was
    accepted and never reported; CANCELLED also ends what was accepted, after the carrier has
    confirmed a cancel_sm. Parts in any other state are left alone.
    """

    message_ref: str
    closed_at: int
    state: DeliveryState
    error_code: str = ""


@attrs.define(weakref_slot=False, kw_only=True)
class ReceiptArrived:
    """A receipt came in, on any bind of the carrier, for whatever message."""

    carrier: str
    message_id: str
    """As it stood in the receipt; the TLV's when both were there."""
    message_id_key: str
    """`message_id` under the profile's rule for receipts. Empty when the receipt named none."""
    receipt_kind: ReceiptNews = ReceiptNews.FINAL
    message_state: int | None = None
    """The specification's number, from the TLV or from `stat`; None when neither could be read."""
    stat: str = ""
    err: str = ""
    """As it stood in the text: digits, hex, words, anything."""
    network_error_code: bytes = b""
    """The TLV's raw value, normally three octets."""
    error: MappedError | None = None
    """What the codes mean. Its raw values are those above."""
    submit_date_at: int | None = None
    done_date_at: int | None = None
    """The carrier's clock, which may be wrong; latency is never taken from it."""
    source_addr: str = attrs.field(default="", repr=False)
    destination_addr: str = attrs.field(default="", repr=False)
    received_at: int
    link: str = ""
    """The bind it came on; told for diagnosis, never used for matching."""
    octets: bytes = attrs.field(default=b"", repr=False)
    """The whole PDU, so that any receipt can be read again under a better dialect."""


@attrs.define(weakref_slot=False, kw_only=True)
class InboundArrived:
    """A message from a handset came in, whole or as one segment."""

    inbound_ref: str
    """Ours; unique for ever in one ledger. A second one with the same ref is `Duplicate`."""
    carrier: str
    source_addr: str = attrs.field(repr=False)
    destination_addr: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    data_coding: int = 0
    received_at: int
    link: str = ""
    octets: bytes = attrs.field(default=b"", repr=False)


@attrs.define(weakref_slot=False, kw_only=True)
class LinkChanged:
    """A link came up, went down, or was refused."""

    carrier: str
    link: str
    changed_at: int
    what: str
    """E.g. `bound`, `lost`, `bind_refused`."""
    cause: str = ""


Entry = (
    MessageTaken
    | AttemptStarted
    | AttemptEnded
    | MessageClosed
    | ReceiptArrived
    | InboundArrived
    | LinkChanged
)
"""Everything the ledger can be told."""
