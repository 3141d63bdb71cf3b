"""TCP as a bystander sees it: each direction's octets in their order, once each, with their times.

Segments may come late, twice, overlapping or never. What the octets mean is read elsewhere.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

import attrs

from .datagrams import Segment, endpoints

MAX_WAITING_OCTETS = 1024 * 1024
"""What one direction may have lying behind a gap before the gap is taken to be one.

Whoever sends has seldom more than this under way; a bystander that still misses it has lost it.
"""
MAX_ALL_WAITING_OCTETS = 64 * MAX_WAITING_OCTETS
"""The same, for all directions together."""
MAX_DIRECTIONS = 8_192
"""Directions remembered; beyond, the one that was silent longest is taken to be over."""

_SEGMENT_COST = 128
"""Octets of memory that a waiting segment takes besides its own."""


@attrs.define(eq=False, kw_only=True)
class Direction:
    """One way of one connection."""

    source: str
    """Address and port: `192.0.2.1:2775`, `[2001:db8::1]:2775`."""
    destination: str
    ports: tuple[int, int]
    """Of source and destination."""
    is_from_start: bool
    """Whether its SYN was seen; if not, the capture began in the midst of it."""

    _first: int = attrs.field(alias="first")
    """TCP's number of its first octet."""
    _next: int = attrs.field(alias="next")
    """TCP's number of the octet wanted next, counted on where TCP's begin anew."""
    _end: int | None = None
    _is_over: bool = False
    _starts: list[int] = attrs.field(factory=list)
    """A heap of the keys of `_waiting`."""
    _waiting: dict[int, Segment] = attrs.field(factory=dict)
    waiting_cost: int = 0
    """Octets of memory taken by what waits for octets before it."""

    @property
    def is_over(self) -> bool:
        """Whether everything up to its FIN or RST was given."""
        return self._is_over

    def is_begun_by(self, segment: Segment) -> bool:
        """Whether a SYN is this direction's own, come again."""
        return not self._is_over and self._first == (segment.sequence_number + 1) % 2**32

    def take(self, segment: Segment) -> Iterator["Stretch | Gap | Ended"]:
        """Take a segment, and give what can be given now."""
        if self._is_over:
            return
        number = segment.sequence_number + segment.is_syn
        start = self._next + (number - self._next + 2**31) % 2**32 - 2**31
        end = start + segment.length
        # A reset with a number from elsewhere is one that its receiver takes no notice of either.
        if segment.is_end and 0 <= end - self._next < MAX_WAITING_OCTETS:
            self._end = end
        if segment.octets and start + len(segment.octets) > self._next:
            self._keep(start, segment)
        yield from self._given()
        while self.waiting_cost > MAX_WAITING_OCTETS:
            yield from self.pass_gap()
        if self._end is not None and self._next >= self._end:
            self._is_over = True
            yield Ended(direction=self)

    def _keep(self, start: int, segment: Segment) -> None:
        known = self._waiting.get(start)
        if known is None:
            heappush(self._starts, start)
            self.waiting_cost += _SEGMENT_COST
        elif len(known.octets) >= len(segment.octets):
            return
        else:
            self.waiting_cost -= len(known.octets)
        self._waiting[start] = segment
        self.waiting_cost += len(segment.octets)

    def _given(self) -> Iterator["Stretch"]:
        while self._starts and self._starts[0] <= self._next:
            start = heappop(self._starts)
            segment = self._waiting.pop(start)
            self.waiting_cost -= len(segment.octets) + _SEGMENT_COST
            octets = segment.octets[self._next - start :]
            if octets:
                self._next += len(octets)
                yield Stretch(direction=self, at=segment.at, octets=octets)

    def pass_gap(self) -> Iterator["Stretch | Gap"]:
        """Go on behind the octets that are missing, if something waits there."""
        if self._starts:
            start = self._starts[0]
            at = self._waiting[start].at
            yield Gap(direction=self, at=at, missing=start - self._next)
            self._next = start
            yield from self._given()

    def finish(self) -> Iterator["Stretch | Gap | Ended"]:
        """Give what is still waiting, gaps between; nothing more will come."""
        if self._is_over:
            return
        while self._starts:
            yield from self.pass_gap()
        if self._end is not None and self._end > self._next:
            yield Gap(direction=self, at=None, missing=self._end - self._next)
        self._is_over = True
        yield Ended(direction=self)


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Stretch:
    """Octets of a direction, those next in order, from one segment."""

    direction: Direction
    at: int | None
    """When that segment was captured, in UTC microseconds since the epoch."""
    octets: bytes


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Gap:
    """Octets were sent that the capture does not hold; the next stretch begins behind them."""

    direction: Direction
    at: int | None
    """When the first octets behind it were captured; None where nothing was."""
    missing: int
    """How many octets."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Ended:
    """A direction is over, or the capture is."""

    direction: Direction


def read_streams(segments: Iterable[Segment]) -> Iterator[Stretch | Gap | Ended]:
    """Put segments into order.

    Args:
        segments: In the order of the capture. A direction begins with its SYN, or with the first
            octets that the capture holds of it; octets before those that come late are lost.

    Returns:
        What each direction says, in the order in which it can be known; `Ended` once for each.
    """
    directions: dict[bytes, Direction] = {}
    cost = 0
    for segment in segments:
        direction = directions.pop(segment.way, None)
        if segment.is_syn and direction is not None and not direction.is_begun_by(segment):
            cost -= direction.waiting_cost
            yield from direction.finish()
            direction = None
        if direction is None:
            if not (segment.octets or segment.is_syn):
                continue
            direction = _begin(segment)
        directions[segment.way] = (
            direction  # behind all others: it was silent for the shortest time
        )
        cost -= direction.waiting_cost
        yield from direction.take(segment)
        if cost + direction.waiting_cost > MAX_ALL_WAITING_OCTETS:
            yield from direction.pass_gap()
        cost += direction.waiting_cost
        if len(directions) > MAX_DIRECTIONS:
            silent = directions.pop(next(iter(directions)))
            cost -= silent.waiting_cost
            yield from silent.finish()
    for direction in directions.values():
        yield from direction.finish()


def _begin(segment: Segment) -> Direction:
    (source, source_port), (destination, destination_port) = endpoints(segment.way)
    first = (segment.sequence_number + segment.is_syn) % 2**32
    return Direction(
        source=_with_port(source, source_port),
        destination=_with_port(destination, destination_port),
        ports=(source_port, destination_port),
        is_from_start=segment.is_syn,
        first=first,
        next=first,
    )


def _with_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
