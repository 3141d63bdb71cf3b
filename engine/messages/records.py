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

from whiteroute.routing import Finding, RouteState

from .canonical import MappedError
from .states import DeliveryState, ReceiptNews, ReportingParts

__all__ = [
    "AttemptEnded",
    "AttemptOutcome",
    "AttemptStarted",
    "CeilingLearned",
    "Entry",
    "EvidenceKept",
    "InboundAcknowledged",
    "InboundArrived",
    "InboundGivenUp",
    "LinkChanged",
    "MessageClosed",
    "MessageRerouted",
    "MessageTaken",
    "ReceiptArrived",
    "ReceiptOrphaned",
    "RootCause",
    "RouteChanged",
    "RunSeen",
    "RunStarted",
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
    due_at: int | None = None
    """When its final receipt should have come at the latest; None: none is expected."""
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
    confirmed a cancel_sm; IN_DOUBT gives up waiting for news of what is in doubt, and what is still
    queued beside it is not sent any more. Parts in any other state are left alone. News that come
    late all the same are still taken.
    """

    message_ref: str
    closed_at: int
    state: DeliveryState
    error_code: str = ""


@attrs.define(weakref_slot=False, kw_only=True)
class MessageRerouted:
    """A message goes another way than it was routed first, or has gone until now.

    Only for one of which no carrier holds anything: it was never tried, or every attempt of every part
    was certainly refused or not written. All of its parts are queued again.
    """

    message_ref: str
    rerouted_at: int
    route: str
    carrier: str
    network: str = ""
    reporting_parts: ReportingParts = "all"
    decision: str = attrs.field(default="", repr=False)
    """The new routing decision, as JSON text; it takes the place of the old one."""


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
    network_seen: str = attrs.field(default="", eq=False)
    """MCC and MNC of the network that the receipt says it comes from. Not kept: `octets` has it."""


@attrs.define(weakref_slot=False, kw_only=True)
class ReceiptOrphaned:
    """A parked receipt has waited long enough: nobody answers for it, and no doubt can adopt it."""

    number: int
    """The store's own short name for the receipt."""
    message_id_key: str
    orphaned_at: int


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
    reference: int = 0
    """What the segments of one message have in common; means nothing when there is one."""
    total: int = 1
    """How many segments the message has."""
    segment: int = 1
    """Which of them this is, from 1 to `total`."""

    @property
    def set_key(self) -> str:
        """Name the set of segments that this one belongs to; empty for a message that came whole."""
        if self.total == 1:
            return ""
        names = (self.carrier, self.source_addr, self.destination_addr)
        return "\x1f".join((*names, str(self.reference), str(self.total)))


@attrs.define(weakref_slot=False, kw_only=True)
class InboundGivenUp:
    """The missing segments of a message have been waited for long enough; it is told as it is."""

    inbound_ref: str
    """Of the segment that came first, which is that of the message."""
    given_up_at: int


@attrs.define(weakref_slot=False, kw_only=True)
class InboundAcknowledged:
    """The application has a message from a handset, and need not be told again."""

    inbound_ref: str
    acknowledged_at: int


class RootCause(StrEnum):
    """Why a bind is not up, for a machine to count by."""

    NAME = "NAME"
    """The host's name could not be looked up."""
    UNREACHABLE = "UNREACHABLE"
    """No stream: refused, timed out, no road to it, or a proxy in between said no."""
    TLS = "TLS"
    """A stream that could not be encrypted, or that ended at somebody else."""
    CREDENTIALS = "CREDENTIALS"
    """Wrong system_id, password or system_type."""
    ALREADY_BOUND = "ALREADY_BOUND"
    """ESME_RALYBND: an old session is still known there, or there are as many binds as may be."""
    BIND_REFUSED = "BIND_REFUSED"
    """The bind was answered with any other status."""
    BIND_UNANSWERED = "BIND_UNANSWERED"
    SILENCE = "SILENCE"
    """A bind on which nothing came any more, not even answers to enquire_link."""
    PEER_CLOSED = "PEER_CLOSED"
    """The stream ended or was reset, without an unbind."""
    PEER_UNBOUND = "PEER_UNBOUND"
    PROTOCOL = "PROTOCOL"
    """What came could not be cut into PDUs any more."""
    OURS = "OURS"
    """We wanted it so: suspended, drained, removed, or closed by a rule of our own."""
    UNKNOWN = "UNKNOWN"


@attrs.define(weakref_slot=False, kw_only=True)
class LinkChanged:
    """A link came up, went down, was refused, or was suspended by us."""

    carrier: str
    link: str
    changed_at: int
    what: str
    """`bound`, `lost`, `refused`, `unreachable`, `stopped`, `suspended` or `resumed`; whatever else is
    kept, and changes nothing about whether the link counts as up."""
    cause: str = ""
    """For people."""
    root_cause: RootCause = RootCause.UNKNOWN
    """For machines; means nothing for `bound`."""
    host: str = ""
    """Which of the carrier's hosts; empty when none was asked."""
    command_status: int | None = None
    """Of a refused bind."""
    can_submit: bool = True
    """Whether messages can leave on this link when it is up: False for a receiver."""


@attrs.define(weakref_slot=False, kw_only=True)
class RunStarted:
    """An engine took over the ledger; what the links do is watched from now on."""

    started_at: int


@attrs.define(weakref_slot=False, kw_only=True)
class RunSeen:
    """The engine that took over last still watches; written every few seconds, and at its end.

    After a crash the last one says how long there was anybody to notice that a link went down.
    """

    seen_at: int


@attrs.define(weakref_slot=False, kw_only=True)
class CeilingLearned:
    """How many parts per second a carrier was found to take. Only the last one is kept."""

    carrier: str
    tps: float
    learned_at: int


@attrs.define(weakref_slot=False, kw_only=True)
class RouteChanged:
    """A route is trusted more, or less, for one network and class, and why."""

    route: str
    network: str
    """E.g. `214-07`."""
    traffic_class: str
    before: RouteState
    after: RouteState
    findings: tuple[Finding, ...] = ()
    """Those that stood at that moment, each with its numbers."""
    actor: str = ""
    """Who released the route; empty if it changed by itself."""
    note: str = ""
    changed_at: int


@attrs.define(weakref_slot=False, kw_only=True)
class EvidenceKept:
    """What was observed of one route for one network, or a whole country, and class. Only the last
    one for these three is kept.
    """

    route: str
    area: str
    """A network, e.g. `214-07`, or the MCC of a country."""
    traffic_class: str
    octets: bytes = attrs.field(repr=False)
    """A dump of an `EvidenceBook` with this one record."""
    clock: float
    """What the clock of the instants in it showed, in seconds."""
    kept_at: int


Entry = (
    MessageTaken
    | AttemptStarted
    | AttemptEnded
    | MessageClosed
    | MessageRerouted
    | ReceiptArrived
    | ReceiptOrphaned
    | InboundArrived
    | InboundGivenUp
    | InboundAcknowledged
    | LinkChanged
    | RunStarted
    | RunSeen
    | CeilingLearned
    | RouteChanged
    | EvidenceKept
)
"""Everything the ledger can be told."""
