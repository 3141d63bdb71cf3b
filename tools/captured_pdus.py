"""The SMPP in a capture: which directions speak it, and their PDUs with time, sender and receiver.

What cannot be read is told in findings, one line each; nothing is passed over in silence but what is
not SMPP at all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

import attrs

from whiteroute.pdu import MAX_COMMAND_LENGTH, OPERATIONS, Framer, FramingError

from .capture import Captured
from .datagrams import Segment, Skipped, read_segments
from .output import count, instant
from .tcp_streams import Direction, Ended, Gap, Stretch, read_streams

_PROOF_OCTETS = 8
"""command_length and command_id: what a direction is recognised by."""


@attrs.frozen(kw_only=True)
class CapturedPdu:
    """A whole PDU, octets not yet decoded."""

    at: int | None
    """When its last octets were captured, in UTC microseconds; None where the file does not tell."""
    source: str
    destination: str
    octets: bytes


@attrs.frozen
class Finding:
    """What could not be read, in one line: `found, expected`."""

    line: str


@attrs.define(eq=False)
class _Reader:
    """Reads one direction until something is wrong with it; from then on it only counts."""

    direction: Direction
    is_awaited: bool
    """Whether it is SMPP because the caller says so, and need not prove it."""
    is_reading: bool = False
    is_foreign: bool = False
    fault: str = ""
    """Why it was given up; empty while it was not."""
    framer: Framer = attrs.field(factory=Framer)
    pending: list[Stretch] = attrs.field(factory=list)
    """The first octets, until they are enough to tell what they are."""
    is_late: bool = attrs.field(
        default=attrs.Factory(lambda self: not self.direction.is_from_start, takes_self=True)
    )
    """Whether its beginning is missing, so that its first octets may be any of a PDU."""
    passed_over: int = 0
    """Octets before the first whole PDU, after a late start."""
    missing: int = 0
    """Octets before the first whole PDU that the capture should hold and does not."""
    cut: int = 0
    """Octets that went into whole PDUs."""
    left_out: int = 0
    """Octets since it was given up."""

    def receive(self, stretch: Stretch) -> Iterator[CapturedPdu]:
        if self.is_foreign:
            return
        if self.fault:
            self.left_out += len(stretch.octets)
        elif self.is_reading:
            yield from self._cut(stretch)
        else:
            self.pending.append(stretch)
            if self._finds_start():
                self.is_reading = True
                for one in self.pending:
                    yield from self.receive(one)
                self.pending.clear()

    def _finds_start(self) -> bool:
        """Look where PDUs begin: at the first octet, or after a late start at some segment's."""
        while sum(len(one.octets) for one in self.pending) >= _PROOF_OCTETS:
            first = b"".join(one.octets for one in self.pending)[:_PROOF_OCTETS]
            if _is_plausible(first) or (self.is_awaited and not self.is_late):
                return True
            if not self.is_late:
                self.is_foreign = True
                self.pending.clear()
                return False
            self.passed_over += len(self.pending.pop(0).octets)
        return False

    def _cut(self, stretch: Stretch) -> Iterator[CapturedPdu]:
        frames: tuple[bytes, ...] = ()
        kept = self.framer.kept_octets
        with suppress(FramingError):  # told below, with its place
            frames = self.framer.receive(stretch.octets)
        for frame in frames:
            yield CapturedPdu(
                at=stretch.at,
                source=self.direction.source,
                destination=self.direction.destination,
                octets=frame,
            )
        whole = sum(map(len, frames))
        self.cut += whole
        if self.framer.error is not None:
            self._give_up(str(self.framer.error), stretch.at)
            self.left_out = kept + len(stretch.octets) - whole

    def miss(self, gap: Gap) -> None:
        if self.is_reading and not self.fault:
            missing = count(gap.missing, "octet is missing", "octets are missing")
            self._give_up(f"{missing}, expected every segment", gap.at)
            self.left_out = self.framer.kept_octets
        elif not self.fault:
            self.passed_over += sum(len(one.octets) for one in self.pending)
            self.pending.clear()
            self.missing += gap.missing
            self.is_late = True

    def _give_up(self, fault: str, at: int | None) -> None:
        place = self.missing + self.passed_over + self.cut
        when = "" if at is None else f" at {instant(at)}"
        self.fault = f"{self._name}, octet {place}{when}: {fault}"

    def findings(self) -> Iterator[Finding]:
        """Say what was wrong, once the direction is over."""
        if self.fault:
            rest = f"{count(self.left_out, 'octet')} from there on left out"
            yield Finding(f"{self.fault}; {rest}")
            return
        if (self.passed_over or self.missing) and (self.is_reading or self.is_awaited):
            before = f"{count(self.passed_over, 'octet')} of no PDU, {self.missing:,} missing"
            yield Finding(f"{self._name}: begins with {before}, expected the start of a PDU")
        if self.is_reading and (left := self.framer.kept_octets):
            place = f"{self._name}, octet {self.missing + self.passed_over + self.cut}"
            yield Finding(f"{place}: ends with {count(left, 'octet')}, expected a whole PDU")
        if self.is_awaited and self.pending:
            left = sum(len(one.octets) for one in self.pending)
            yield Finding(f"{self._name}: ends with {count(left, 'octet')}, expected a PDU")

    @property
    def _name(self) -> str:
        return f"{self.direction.source} to {self.direction.destination}"


def _is_plausible(octets: bytes) -> bool:
    command_length = int.from_bytes(octets[:4], "big")
    command_id = int.from_bytes(octets[4:8], "big")
    return 16 <= command_length <= MAX_COMMAND_LENGTH and command_id in OPERATIONS


def read_pdus(
    packets: Iterable[Captured], port: int | None = None
) -> Iterator[CapturedPdu | Finding]:
    """Find the PDUs in a capture.

    Args:
        packets: In the order of the capture.
        port: The TCP port of SMPP: connections to others are left out, and one to this must be SMPP.
            Default: None, any direction that begins with a known operation.

    Returns:
        PDUs in the order in which they became whole. A direction in which octets are missing, or
        which cannot be cut, is given up at that place; the finding comes when it is over.
    """
    skipped: Counter[Skipped] = Counter()
    readers: dict[Direction, _Reader] = {}
    for event in read_streams(_kept(read_segments(packets), skipped)):
        direction = event.direction
        if port is not None and port not in direction.ports:
            continue
        reader = readers.get(direction)
        if reader is None:
            reader = readers[direction] = _Reader(direction, is_awaited=port is not None)
        match event:
            case Stretch():
                yield from reader.receive(event)
            case Gap():
                reader.miss(event)
            case Ended():
                yield from reader.findings()
                del readers[direction]
    for skip, times in skipped.items():
        yield Finding(f"{skip.found}, expected {skip.expected}; {times:,} skipped")


def _kept(found: Iterable[Segment | Skipped], skipped: Counter[Skipped]) -> Iterator[Segment]:
    for one in found:
        if isinstance(one, Skipped):
            skipped[one] += 1
        else:
            yield one
