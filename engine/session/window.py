"""Requests of ours that wait for an answer: in order, with deadlines, never more than allowed.

It dies with the link; message ids that outlive a link are the ledger's matter.
"""

from collections.abc import Iterator

import attrs

from whiteroute.pdu import LAST_SEQUENCE_NUMBER

from .events import Exchange

KEPT_LATE = 1000
"""How many timed-out requests are remembered, so that a late response still finds its request."""


@attrs.define(eq=False)
class Window:
    """Exchanges in flight by sequence_number.

    All have the same response timeout, so the order of sending is the order of deadlines, and the
    sweep looks only at the oldest.
    """

    limit: int
    in_flight: dict[int, Exchange] = attrs.field(factory=dict, init=False)
    """Requests that take a place."""
    control: dict[int, Exchange] = attrs.field(factory=dict, init=False)
    """The few requests about the session itself, which take none; each has a deadline of its own."""
    late: dict[int, Exchange] = attrs.field(factory=dict, init=False)
    """Requests that have timed out, for responses that come late."""
    last: int = attrs.field(default=0, init=False)
    """The sequence_number used last; 0 before the first."""
    unused_from: int = attrs.field(default=0, init=False)
    """Numbers above this and above `last` were never used on this link, so none needs to be looked
    for; the last number once they have gone around."""

    @property
    def room(self) -> int:
        """How many more requests may be sent now; never negative, even after a lowered limit."""
        return max(0, self.limit - len(self.in_flight))

    def next_sequence_number(self) -> int:
        """Give the next free number, 1 to 0x7FFFFFFF and around; set `last` once it is used."""
        number = self.last
        while True:
            if number < LAST_SEQUENCE_NUMBER:
                number += 1
            else:
                number, self.unused_from = 1, LAST_SEQUENCE_NUMBER
            if not any(number in each for each in (self.in_flight, self.late, self.control)):
                return number

    def first_deadline(self) -> float | None:
        """When the oldest exchange runs out of time; None when nothing is in flight."""
        for exchange in self.in_flight.values():
            return exchange.deadline
        return None

    def next_deadline(self) -> float | None:
        """When the next request runs out of time, control included; None when none waits."""
        due = self.first_deadline()
        for exchange in self.control.values():
            if due is None or exchange.deadline < due:
                due = exchange.deadline
        return due

    def expired(self, now: float) -> Iterator[Exchange]:
        """Take out, oldest first, what has waited too long; it is remembered for late responses."""
        while self.in_flight:
            number, exchange = next(iter(self.in_flight.items()))
            if exchange.deadline > now:
                break
            yield self._give_up(self.in_flight, number)
        for number in [number for number, each in self.control.items() if each.deadline <= now]:
            yield self._give_up(self.control, number)

    def take_out_all(self) -> list[Exchange]:
        """Take out everything that waits: the link is gone."""
        waiting = [*self.in_flight.values(), *self.control.values()]
        self.in_flight.clear()
        self.control.clear()
        return waiting

    def _give_up(self, waiting: dict[int, Exchange], number: int) -> Exchange:
        exchange = self.late[number] = waiting.pop(number)
        if len(self.late) > KEPT_LATE:
            del self.late[next(iter(self.late))]
        return exchange
