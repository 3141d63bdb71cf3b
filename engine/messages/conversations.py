"""Messages from handsets: segments put together, and the message of ours that each one answers.

A set of segments is known by its carrier, its two numbers, its reference and its total; it may come on
any binds, in any order, and again. References are small and come round, so a set takes each segment
once: the same one with other words begins another set.
"""

from enum import StrEnum
from typing import Final

import attrs

from .hashed_numbers import digits_of
from .marks import Mark
from .records import InboundArrived

__all__ = ["InboundLine", "InboundRecord", "InboundState", "pair_of"]

REPEAT_TIME: Final = 600_000_000
"""Microseconds after the last segment in which the same one again is a repetition. A carrier that missed
our acknowledgement repeats itself within minutes; an 8-bit reference takes 256 messages to come round."""


class InboundState(StrEnum):
    """How far a message from a handset is."""

    WAITING = "WAITING"
    """Segments are missing, and may still come."""
    WHOLE = "WHOLE"
    PARTIAL = "PARTIAL"
    """Segments are missing, and were waited for long enough."""


@attrs.frozen(kw_only=True)
class InboundRecord:
    """A message from a handset, as far as it came."""

    number: int
    """The store's own short name for it; grows with each new one."""
    inbound_ref: str
    """Stable: the same each time it is told, also after a restart."""
    carrier: str
    source_addr: str = attrs.field(repr=False)
    destination_addr: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    """What is there of it, in the right order."""
    received_at: int
    """When its first segment came."""
    state: InboundState
    total: int
    """How many segments it has; 1 for one that came whole."""
    missing: tuple[int, ...]
    """The segments that have not come, counted from 1."""
    reply_to: str
    """message_ref of the last message of ours to that number from the number that it was sent to;
    empty when there was none, and when ours had a name as its sender."""
    acknowledged_at: int | None
    """When the application said that it has it; None: it will be told again."""


@attrs.define(weakref_slot=False, kw_only=True, eq=False)
class InboundLine:
    """A message from a handset as an open ledger holds it."""

    number: int
    inbound_ref: str
    carrier: str
    source_addr: str = attrs.field(repr=False)
    destination_addr: str = attrs.field(repr=False)
    received_at: int
    latest_at: int
    total: int
    segments: dict[int, str] = attrs.field(repr=False)
    """Texts by the segments' numbers."""
    set_key: str = attrs.field(repr=False)
    state: InboundState
    reply_to: str = ""
    acknowledged_at: int = 0
    mark: Mark = Mark.NEW

    @classmethod
    def begun_by(cls, entry: InboundArrived, number: int, reply_to: str) -> "InboundLine":
        """Begin a message with the segment that came first."""
        return cls(
            number=number,
            inbound_ref=entry.inbound_ref,
            carrier=entry.carrier,
            source_addr=entry.source_addr,
            destination_addr=entry.destination_addr,
            received_at=entry.received_at,
            latest_at=entry.received_at,
            total=entry.total,
            segments={entry.segment: entry.text},
            set_key=entry.set_key,
            state=InboundState.WHOLE if entry.total == 1 else InboundState.WAITING,
            reply_to=reply_to,
        )

    def repeats(self, entry: InboundArrived) -> bool:
        """Say whether a segment was there before, in the same words and not long ago.

        One whose words are not kept any more is taken to have had the same ones.
        """
        return (
            self.segments.get(entry.segment) in ("", entry.text)
            and abs(entry.received_at - self.latest_at) <= REPEAT_TIME
        )

    def wants(self, entry: InboundArrived) -> bool:
        """Say whether a segment is one that is missing here."""
        return self.state is InboundState.WAITING and entry.segment not in self.segments

    def add(self, entry: InboundArrived) -> None:
        """Take a segment that is missing; the message may be whole then."""
        self.segments[entry.segment] = entry.text
        self.latest_at = max(self.latest_at, entry.received_at)
        if len(self.segments) == self.total:
            self.state = InboundState.WHOLE

    @property
    def text(self) -> str:
        """What is there, in order."""
        if len(self.segments) == 1:
            return next(iter(self.segments.values()))
        return _mended("".join(text for _, text in sorted(self.segments.items())))

    def record(self) -> InboundRecord:
        """Say how it stands."""
        return InboundRecord(
            number=self.number,
            inbound_ref=self.inbound_ref,
            carrier=self.carrier,
            source_addr=self.source_addr,
            destination_addr=self.destination_addr,
            text=self.text,
            received_at=self.received_at,
            state=self.state,
            total=self.total,
            missing=tuple(
                number for number in range(1, self.total + 1) if number not in self.segments
            ),
            reply_to=self.reply_to,
            acknowledged_at=self.acknowledged_at or None,
        )


def pair_of(handset: str, ours: str) -> str:
    """Name the two numbers of a conversation, however they are written.

    Returns:
        Empty when `ours` is no number: nobody can answer to a name.
    """
    if not ours.lstrip("+").isdecimal():
        return ""
    return f"{digits_of(handset)}>{digits_of(ours)}"


def _mended(text: str) -> str:
    """Put characters together that were cut between two segments: halves of a surrogate pair."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
