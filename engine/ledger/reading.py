"""What people and programs read from a ledger, whichever store keeps it.

Values only. `SqliteReader` and `MemoryReader` make them; nothing here changes a ledger.
"""

from collections.abc import Iterator, Mapping
from math import inf
from typing import Final, Literal, Protocol

import attrs

from whiteroute.engine.messages import (
    FINAL_STATES,
    AcceptedId,
    AttemptEnded,
    AttemptStarted,
    Canonical,
    CeilingLearned,
    DeliveryState,
    Doubt,
    EngineRun,
    EvidenceKept,
    InboundArrived,
    InboundRecord,
    LinkChanged,
    MappedError,
    Outage,
    ReceiptArrived,
    ReceiptVerdict,
    ReceivedId,
    ReportingParts,
    RouteChanged,
    Uptime,
    find_outages,
    measure_uptime,
    part_state,
)

__all__ = [
    "EVERYTHING",
    "OVERDUE_STATES",
    "PROFILE_RULES",
    "RESPONSES_PER_RECEIPT",
    "AttemptRecord",
    "IdsSeen",
    "LedgerReader",
    "MessageHistory",
    "MessageRecord",
    "ReceiptRecord",
    "Selection",
    "SummaryKey",
    "SummaryLine",
    "UnmappedCode",
    "age_of_doubt",
    "by_frequency",
    "is_unmapped",
    "outages_of",
    "uptime_of",
]

SummaryKey = Literal[
    "carrier", "route", "network", "traffic_class", "campaign", "error", "hour", "state"
]
"""By what messages are counted together. `campaign` is the tag of that name; `hour` is when they were
taken, e.g. `2026-11-22T18`, UTC; `error` is the canonical code that stands now."""


@attrs.frozen(kw_only=True)
class Selection:
    """Which lines to read. What is None, or empty, does not narrow."""

    message_ref: str | None = None
    carrier: str | None = None
    route: str | None = None
    """Only for messages."""
    state: DeliveryState | None = None
    """Of the message, as shown: see `LedgerReader`. For receipts: of the message they belong to."""
    verdict: ReceiptVerdict | None = None
    """Only for receipts; PARKED gives those that still wait."""
    since_at: int | None = None
    """Taken, received or changed at this microsecond or later."""
    until_at: int | None = None
    """Before this microsecond."""
    network: str | None = None
    """Only for messages, as are the next four. E.g. `214-07`."""
    traffic_class: str | None = None
    to: str | None = None
    """The destination; a plus before it does not count."""
    error_code: str | None = None
    """Why the message stands where it stands, in our words."""
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Tags that the message has, all of them."""
    limit: int | None = None
    """At most so many, the oldest first."""
    is_newest: bool = False
    """The newest instead of the oldest are those within `limit`; their order is the same. Only for messages,
    receipts and messages from handsets that are put together."""


EVERYTHING = Selection()

OVERDUE_STATES: Final = (DeliveryState.ACCEPTED, DeliveryState.IN_DOUBT)
"""Where messages stand that wait for news from the carrier and can wait too long."""


@attrs.frozen(kw_only=True)
class MessageRecord:
    """A message as it stands now."""

    message_ref: str
    to: str = attrs.field(repr=False)
    sender: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    traffic_class: str
    tags: Mapping[str, str] = attrs.field(repr=False)
    duplicate_policy: str
    taken_at: int
    valid_until_at: int | None
    due_at: int | None
    """When its final receipt should have come at the latest; None: none was expected."""
    part_count: int
    reporting_parts: ReportingParts
    network: str
    decision: str = attrs.field(repr=False)
    """The routing decision, as JSON text."""
    state: DeliveryState
    changed_at: int
    """When `state` last changed."""
    route: str
    """Of the latest attempt; before the first one, as routed."""
    carrier: str
    error_code: str
    """Why it stands where it stands; empty when nothing is wrong."""


@attrs.frozen(kw_only=True)
class AttemptRecord:
    """One submit_sm and how it ended."""

    started: AttemptStarted
    ended: AttemptEnded | None
    state: DeliveryState
    """What this attempt makes of its part."""


@attrs.frozen(kw_only=True)
class ReceiptRecord:
    """One receipt and what became of it."""

    number: int
    """The store's own short name for it."""
    receipt: ReceiptArrived
    verdict: ReceiptVerdict
    message_ref: str | None
    """None while parked, as are the next two."""
    part: int | None
    attempt: int | None
    before_response: bool


@attrs.frozen(kw_only=True)
class MessageHistory:
    """Everything that happened to one message, oldest first."""

    message: MessageRecord
    attempts: tuple[AttemptRecord, ...]
    receipts: tuple[ReceiptRecord, ...]

    def part_states(self) -> tuple[DeliveryState, ...]:
        """Say where each part stands, in the order of the parts.

        A part that was never tried stands where its message does once that is over.
        """
        if not self.attempts and self.message.state in FINAL_STATES:
            return (self.message.state,) * self.message.part_count
        return tuple(
            part_state([line.state for line in self.attempts if line.started.part == part])
            for part in range(1, self.message.part_count + 1)
        )

    def message_ids(self) -> tuple[str, ...]:
        """Give the carrier's ids, one a part, in order; empty strings for parts without one."""
        ids = [""] * self.message.part_count
        for line in self.attempts:
            if line.ended is not None and line.ended.message_id:
                ids[line.started.part - 1] = line.ended.message_id
        return tuple(ids)


@attrs.frozen(kw_only=True)
class SummaryLine:
    """Counts of the messages that have one key in common."""

    key: str
    """Empty for those that have none."""
    states: Mapping[DeliveryState, int]
    """Only the states that occur."""
    messages: int
    parts: int


@attrs.frozen(kw_only=True)
class UnmappedCode:
    """Codes of one carrier that no table could name: what to ask that carrier about."""

    carrier: str
    command_status: int | None
    """Of responses; None where receipts bore the codes."""
    stat: str
    """Of receipts, as is `err`; empty for responses."""
    err: str
    network_error_code: bytes
    count: int
    first_at: int
    """Received, in microseconds since the epoch."""
    last_at: int
    message_id: str
    """The carrier's, of the newest; empty where it gave none, as in most refusals."""
    message_ref: str
    """Ours, of the newest; empty while its receipt belongs to nobody."""
    addresses: tuple[str, ...] = attrs.field(default=(), repr=False)
    """The newest one's numbers, for those who have to keep them out of what they show."""


@attrs.frozen(kw_only=True)
class IdsSeen:
    """A carrier's message ids, newest first; see `learn_message_ids`."""

    accepted: tuple[AcceptedId, ...]
    received: tuple[ReceivedId, ...]


class LedgerReader(Protocol):
    """Reads a ledger, also while an engine writes it.

    What it shows was committed. When no engine owns the ledger, an attempt without an outcome is
    shown as IN_DOUBT, as is its message, because nobody is left who could be told the outcome.

    Every method raises `LedgerError` when the file cannot be read.
    """

    @property
    def has_writer(self) -> bool:
        """Whether a living engine owns the ledger."""
        ...

    def message(self, message_ref: str) -> MessageHistory | None:
        """Read everything about one message; None when it is not known."""
        ...

    def messages(self, selection: Selection = EVERYTHING) -> Iterator[MessageRecord]:
        """Read messages in the order in which they were taken."""
        ...

    def receipts(self, selection: Selection = EVERYTHING) -> Iterator[ReceiptRecord]:
        """Read receipts in the order in which they arrived."""
        ...

    def inbound(self, selection: Selection = EVERYTHING) -> Iterator[InboundArrived]:
        """Read messages from handsets, segment by segment, in the order in which they arrived."""
        ...

    def conversations(self, selection: Selection = EVERYTHING) -> Iterator[InboundRecord]:
        """Read messages from handsets, put together, in the order in which they began to arrive."""
        ...

    def incomplete(self, before_at: int, limit: int) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that began before some time and miss segments."""
        ...

    def unacknowledged(self, after: int, limit: int) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that the application has not said it has, in order.

        Args:
            after: Only those with a higher number.
            limit: At most so many.
        """
        ...

    def replies(self, message_ref: str) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that answer one of ours, in order."""
        ...

    def unmapped(self, selection: Selection = EVERYTHING) -> tuple[UnmappedCode, ...]:
        """Count the receipts and the responses whose codes ended in UNKNOWN, by what they bore.

        What the carrier's profile itself calls UNKNOWN has been looked at, and is left out.

        Args:
            selection: Narrowed by `carrier`, `since_at` and `until_at` alone.

        Returns:
            By carrier, the most frequent first.
        """
        ...

    def ids_seen(self, carrier: str, limit: int) -> IdsSeen:
        """Read how a carrier has spelt its message ids of late.

        Args:
            carrier: Its name.
            limit: At most so many receipts that belong to nobody and as many that do, and ten times as
                many responses: a receipt may come long after its response.
        """
        ...

    def carriers(self) -> tuple[str, ...]:
        """Read the names of all carriers of which anything is known, in order."""
        ...

    def link_changes(self, selection: Selection = EVERYTHING) -> Iterator[LinkChanged]:
        """Read what happened to links, in order."""
        ...

    def runs(self) -> tuple[EngineRun, ...]:
        """Read when engines watched, oldest first."""
        ...

    def outages(
        self,
        carrier: str | None = None,
        since_at: int | None = None,
        until_at: int | None = None,
        *,
        by_link: bool = False,
    ) -> tuple[Outage, ...]:
        """Find when carriers, or their links, were down.

        An outage may be open only while a living engine owns the ledger. Time in which no engine
        watched is no outage; see `whiteroute.engine.messages.outages`.

        Args:
            carrier: Only this one's.
            since_at: Only outages that went on at this microsecond or later; told whole.
            until_at: Only those that began before.
            by_link: Each link for itself, instead of each carrier as a whole.
        """
        ...

    def uptime(self, carrier: str, since_at: int, until_at: int) -> Uptime:
        """Add up how a carrier was in some time.

        Args:
            carrier: Its name.
            since_at: Where the time begins, microseconds since the epoch.
            until_at: Where it ends; now at the latest. A living engine is taken to watch until then.
        """
        ...

    def ceilings(self) -> dict[str, CeilingLearned]:
        """Read how fast carriers were found to be, by their names."""
        ...

    def route_changes(self, route: str | None = None) -> tuple[RouteChanged, ...]:
        """Read how far routes were trusted, in order.

        Args:
            route: Only this one's.
        """
        ...

    def evidence(self) -> tuple[EvidenceKept, ...]:
        """Read what was observed of routes, in order of route, area and class."""
        ...

    def doubts(self) -> tuple[Doubt, ...]:
        """Read every attempt that may have been accepted, oldest attempt first."""
        ...

    def overdue(self, now_at: int, limit: int) -> tuple[MessageRecord, ...]:
        """Read messages whose final receipt should have come: accepted or in doubt, and still open.

        It looks at no other messages, so it is cheap in a ledger of any size.

        Args:
            now_at: Microseconds since the epoch.
            limit: At most so many, the longest overdue first.
        """
        ...

    def parked(self, before_at: int, limit: int) -> tuple[ReceiptRecord, ...]:
        """Read receipts that wait for an answer and came before some time, the oldest first.

        It looks at no other receipts, so it is cheap in a ledger of any size.
        """
        ...

    def summary(self, by: SummaryKey, selection: Selection = EVERYTHING) -> tuple[SummaryLine, ...]:
        """Count messages by what they have in common, in the order of the keys."""
        ...

    def close(self) -> None:
        """Close what it holds open; harmless when it is closed already."""
        ...


def age_of_doubt(doubt: Doubt) -> tuple[int, str, int, int]:
    """Order doubts: the oldest attempt first."""
    return (doubt.started_at, doubt.message_ref, doubt.part, doubt.attempt)


def outages_of(
    reader: LedgerReader,
    carrier: str | None,
    since_at: int | None,
    until_at: int | None,
    *,
    by_link: bool,
) -> tuple[Outage, ...]:
    """Do what `LedgerReader.outages` says, with nothing but a reader's other methods."""
    is_running = reader.has_writer
    runs = _runs_until_now(reader.runs(), since_at)
    changes = reader.link_changes(_from_the_start_of(runs, carrier))
    found = find_outages(changes, runs, is_running=is_running, by_link=by_link)
    first = -inf if since_at is None else since_at
    last = inf if until_at is None else until_at
    return tuple(outage for outage in found if outage.touches(first, last))


def uptime_of(reader: LedgerReader, carrier: str, since_at: int, until_at: int) -> Uptime:
    """Do what `LedgerReader.uptime` says, with nothing but a reader's other methods."""
    is_running = reader.has_writer
    runs = _runs_until_now(reader.runs(), since_at)
    return measure_uptime(
        carrier,
        reader.link_changes(_from_the_start_of(runs, carrier)),
        runs,
        since_at=since_at,
        until_at=until_at,
        is_running=is_running,
    )


def _runs_until_now(runs: tuple[EngineRun, ...], since_at: int | None) -> tuple[EngineRun, ...]:
    """Leave out the runs that were over before some time: those with a next one before it."""
    if since_at is None:
        return runs
    over = sum(run.started_at <= since_at for run in runs[1:])
    return runs[over:]


def _from_the_start_of(runs: tuple[EngineRun, ...], carrier: str | None) -> Selection:
    """Select the news from the first of some runs on."""
    return Selection(carrier=carrier, since_at=runs[0].started_at if runs else None)


RESPONSES_PER_RECEIPT: Final = 10
"""How many responses `ids_seen` reads for each receipt."""


def is_unmapped(error: MappedError | None) -> bool:
    """Say whether an error's codes are those that a carrier has to be asked about."""
    return (
        error is not None
        and error.canonical is Canonical.UNKNOWN
        and not error.rule.startswith(PROFILE_RULES)
    )


PROFILE_RULES: Final = "profile."
"""How the rules begin that are a profile's own."""


def by_frequency(code: UnmappedCode) -> tuple[object, ...]:
    """Order unmapped codes: by carrier, the most frequent first."""
    raw = (code.command_status or 0, code.stat, code.err, code.network_error_code)
    return (code.carrier, -code.count, *raw)
