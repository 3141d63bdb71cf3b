"""What people and programs read from a ledger, whichever store keeps it.

Values only. `SqliteReader` and `MemoryReader` make them; nothing here changes a ledger.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

import attrs

from whiteroute.engine.messages import (
    FINAL_STATES,
    AttemptEnded,
    AttemptStarted,
    DeliveryState,
    Doubt,
    InboundArrived,
    LinkChanged,
    ReceiptArrived,
    ReceiptVerdict,
    ReportingParts,
    part_state,
)

__all__ = [
    "EVERYTHING",
    "AttemptRecord",
    "LedgerReader",
    "MessageHistory",
    "MessageRecord",
    "ReceiptRecord",
    "Selection",
    "SummaryKey",
    "SummaryLine",
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
        """Read messages from handsets in the order in which they arrived."""
        ...

    def link_changes(self, selection: Selection = EVERYTHING) -> Iterator[LinkChanged]:
        """Read what happened to links, in order."""
        ...

    def doubts(self) -> tuple[Doubt, ...]:
        """Read every attempt that may have been accepted, oldest message first."""
        ...

    def summary(self, by: SummaryKey, selection: Selection = EVERYTHING) -> tuple[SummaryLine, ...]:
        """Count messages by what they have in common, in the order of the keys."""
        ...

    def close(self) -> None:
        """Close what it holds open; harmless when it is closed already."""
        ...
