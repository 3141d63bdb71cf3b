"""The parts of one account that wait, and which of them may go now.

It decides and waits for nothing: `now` and the room of the links come in; what is to be remembered, what
may leave, what has waited too long and when to look again come out. Who sends is the carrier.
"""

from collections import deque
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf

import attrs

from whiteroute.engine.upkeep import Lanes

from .pacing import Pacing
from .parts import OutgoingPart

__all__ = ["Feeding", "Serving"]

SWEEP_INTERVAL = 1.0
"""Seconds between two searches for what has expired; one looks at everything that waits. A part that
was found too late is told late, but never sent: each is looked at again as it leaves the queue."""

LONGEST_LEAD = 1.0
"""Seconds that a part is asked for ahead of its turn, at most. It has to be remembered before, which
takes as long as the ledger's disk does; but what is remembered and unsent is in doubt after a crash."""


@attrs.frozen
class Serving:
    """What one look at the queue came to."""

    parts: list[OutgoingPart]
    """To be remembered now, in this order; room is kept for them until they leave or are released."""
    expired: list[OutgoingPart]
    """They waited too long, and are out of the queue."""
    wake_at: float
    """When to look again at the latest; infinite when only news can change anything."""


@attrs.define(eq=False)
class Feeding:
    """The queue of one account, in two stages: what waits, and what is remembered and may leave.

    Between the two the owner writes ahead. The pace is spent as parts leave the second stage, so that
    however the owner's disk bunches them, they leave one by one.
    """

    pacing: Pacing
    keeps_order: bool = False
    """Whether nothing may leave to a destination while an earlier part to it is not done with."""
    _queue: deque[OutgoingPart] = attrs.field(factory=deque[OutgoingPart], init=False)
    _again: deque[OutgoingPart] = attrs.field(factory=deque[OutgoingPart], init=False)
    """Parts that were at the head of the queue before; they go ahead of it."""
    _later: list[tuple[float, int, OutgoingPart]] = attrs.field(
        factory=list[tuple[float, int, OutgoingPart]], init=False
    )
    _order: "count[int]" = attrs.field(factory=count, init=False)
    _lanes: Lanes[OutgoingPart] = attrs.field(init=False)
    _reserved: int = attrs.field(default=0, init=False)
    _remembered: deque[OutgoingPart] = attrs.field(factory=deque[OutgoingPart], init=False)
    _lead: float = attrs.field(default=0.0, init=False)
    """Seconds; twice what the owner took lately."""
    _swept_at: float = attrs.field(default=-inf, init=False)
    _sweep_at: float = attrs.field(default=inf, init=False)

    def __attrs_post_init__(self) -> None:
        self._lanes = Lanes(_name)

    @property
    def queued(self) -> int:
        """Parts waiting for room, pace, their turn or a bind."""
        return len(self._again) + len(self._queue) + len(self._later) + len(self._lanes)

    @property
    def reserved(self) -> int:
        """Parts that were given out and have neither left nor been given back yet."""
        return self._reserved

    @property
    def remembered(self) -> int:
        """How many of the reserved only wait for their turn to leave."""
        return len(self._remembered)

    # The queue.

    def enqueue(self, parts: Sequence[OutgoingPart]) -> None:
        """Put parts at the end of the queue."""
        self._queue.extend(parts)
        self._note_expiry(parts)

    def enqueue_at(self, part: OutgoingPart, at: float) -> None:
        """Put a part into the queue at an instant, ahead of those that were never tried."""
        heappush(self._later, (at, next(self._order), part))
        self._note_expiry((part,))

    def put_back(self, parts: Sequence[OutgoingPart]) -> None:
        """Take back parts that were given out; they go first, in their order."""
        self._again.extendleft(reversed(parts))
        self._note_expiry(parts)
        self._reserved -= len(parts)

    def release(self, parts: Sequence[OutgoingPart]) -> None:
        """Give back the room kept for parts that will not be sent after all."""
        self._reserved -= len(parts)
        for part in parts:
            self.done_with(part)

    def take_all(self) -> list[OutgoingPart]:
        """Take out everything that waits, whatever it waits for; those that were tried come first."""
        waiting = [
            *self._again,
            *(part for _, _, part in sorted(self._later)),
            *self._lanes.take_out(lambda _: True),
            *self._queue,
        ]
        self._again.clear()
        self._later.clear()
        self._queue.clear()
        for part in waiting:
            self.done_with(part)
        return waiting

    def done_with(self, part: OutgoingPart) -> None:
        """Let the next one go to the destination of a part that is not tried again."""
        if self.keeps_order:
            following = self._lanes.leave(part.pdu.destination_addr, part)
            if following is not None:
                # It was at the head of the queue before, so whoever is there now came later.
                self._again.append(following)

    def serve(self, room: int | None, now: float) -> Serving:
        """Take out what is to be remembered now.

        Args:
            room: Requests that all links together can take; None while nothing may be sent at all.
            now: Seconds on the owner's clock.
        """
        while self._later and self._later[0][0] <= now:
            self._again.append(heappop(self._later)[2])
        expired = self._sweep(now) if self._sweep_at <= now else []
        wake_at = min(self._sweep_at, self._later[0][0] if self._later else inf)
        ready = len(self._again) + len(self._queue)
        if not ready or room is None:
            return Serving([], expired, wake_at)
        if now < self.pacing.paused_until:
            return Serving([], expired, min(wake_at, self.pacing.paused_until))
        pace = self.pacing.pace
        most = room - self._reserved
        brought = pace.brings(self._lead, now)
        is_paced = brought is not None and brought - self._reserved < most
        if is_paced:
            assert brought is not None
            most = brought - self._reserved
        parts = self._take_out(most, now, expired)
        self._reserved += len(parts)
        if is_paced and ready > most:
            assert pace.rate is not None
            ahead = self._reserved / pace.rate - self._lead
            wake_at = min(wake_at, max(now, pace.next_at(now) + ahead))
        return Serving(parts, expired, wake_at)

    # What is remembered.

    def remember(self, parts: Sequence[OutgoingPart], took: float) -> None:
        """Take parts that may leave; asking the owner for them took so many seconds."""
        self._lead = min(LONGEST_LEAD, max(2 * took, 0.9 * self._lead))
        self._remembered.extend(parts)

    def depart(self, room: int, now: float) -> list[OutgoingPart]:
        """Give what leaves now, as far as pace and room go; it counts as sent."""
        if not self._remembered or now < self.pacing.paused_until:
            return []
        pace = self.pacing.pace
        paced = pace.allowed(now)
        most = room if paced is None else min(room, paced)
        waiting = self._remembered
        if most >= len(waiting):
            parts = list(waiting)
            waiting.clear()
        else:
            parts = [waiting.popleft() for _ in range(most)]
        pace.spend(len(parts), now)
        self._reserved -= len(parts)
        return parts

    def departs_at(self, now: float) -> float:
        """Tell when the pace lets the next part leave; infinite when none waits for it."""
        if not self._remembered:
            return inf
        return max(self.pacing.paused_until, self.pacing.pace.next_at(now))

    def give_up_remembered(self) -> list[OutgoingPart]:
        """Give back what waits to leave."""
        given_up = list(self._remembered)
        self._remembered.clear()
        self._reserved -= len(given_up)
        return given_up

    # How parts leave the queue.

    def _take_out(self, most: int, now: float, expired: list[OutgoingPart]) -> list[OutgoingPart]:
        """Take parts out of the queue, and add those for which it is too late to `expired`."""
        parts: list[OutgoingPart] = []
        again, queue, keeps_order = self._again, self._queue, self.keeps_order
        while len(parts) < most and (again or queue):
            part = (again or queue).popleft()
            if part.expires_at <= now:
                self.done_with(part)
                expired.append(part)
            elif not keeps_order or self._lanes.enter(part.pdu.destination_addr, part):
                parts.append(part)
        return parts

    def _note_expiry(self, parts: Sequence[OutgoingPart]) -> None:
        earliest = inf
        for part in parts:
            if part.expires_at < earliest:
                earliest = part.expires_at
        if earliest < inf:
            self._sweep_at = min(self._sweep_at, max(earliest, self._swept_at + SWEEP_INTERVAL))

    def _sweep(self, now: float) -> list[OutgoingPart]:
        """Take out everything that has waited too long."""
        expired = [*self._lanes.take_out(lambda part: part.expires_at <= now)]
        waiting = [*self._again, *self._queue, *(part for _, _, part in self._later)]
        if any(part.expires_at <= now for part in waiting):
            expired += [part for part in waiting if part.expires_at <= now]
            self._again = deque(part for part in self._again if part.expires_at > now)
            self._queue = deque(part for part in self._queue if part.expires_at > now)
            self._later = [entry for entry in self._later if entry[2].expires_at > now]
            heapify(self._later)
        self._swept_at, self._sweep_at = now, inf
        for part in expired:
            self.done_with(part)
        self._note_expiry([*self._lanes, *(part for part in waiting if part.expires_at > now)])
        return expired


def _name(part: OutgoingPart) -> tuple[str, int]:
    return part.message_ref, part.part
