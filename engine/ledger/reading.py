"""What people and programs read from a ledger, whichever store keeps it.

Values only. `SqliteReader` and `MemoryReader` make them; nothing here changes a ledger.
"""

from collections.abc import Iterator, Mapping
from math import inf
from typing import Final, Literal, Protocol

import attrs

from whiteroute.engine.messages import (
    FINAL_STATES,
    AttemptEnded,
    AttemptStarted,
    CeilingLearned,
    DeliveryState,
    Doubt,
    EngineRun,
    InboundArrived,
    InboundRecord,
    LinkChanged,
    Outage,
    ReceiptArrived,
    ReceiptVerdict,
    ReportingParts,
    Uptime,
    find_outages,
    measure_uptime,
    part_state,
)

__all__ = [
    "EVERYTHING",
    "OVERDUE_STATES",
    "AttemptRecord",
    "LedgerReader",
    "MessageHistory",
    "MessageRecord",
    "ReceiptRecord",
    "Selection",
    "SummaryKey",
    "SummaryLine",
    "age_of_doubt",
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
    limit: int | None = None
    """At most so many, the oldest first."""


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
