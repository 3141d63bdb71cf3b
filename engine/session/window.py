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
    late: dict[int, Exchange] = attrs.field(factory=dict, init=False)
    last: int = attrs.field(default=0, init=False)
    """The sequence_number used last; 0 before the first."""

    @property
    def room(self) -> int:
        """How many more requests may be sent now; never negative, even after a lowered limit."""
        return max(0, self.limit - len(self.in_flight))

    def next_sequence_number(self, taken: dict[int, Exchange]) -> int:
        """Give the next free number, 1 to 0x7FFFFFFF and around; set `last` once it is used.

        Args:
            taken: Numbers in use outside the window (session control).
        """
        number = self.last
        while True:
            number = number + 1 if number < LAST_SEQUENCE_NUMBER else 1
            if number not in self.in_flight and number not in self.late and number not in taken:
                return number

    def first_deadline(self) -> float | None:
        """When the oldest exchange runs out of time; None when nothing is in flight."""
        for exchange in self.in_flight.values():
            return exchange.deadline
        return None

    def expired(self, now: float, control: dict[int, Exchange]) -> Iterator[Exchange]:
        """Take out, oldest first, what has waited too long; it is remembered for late responses.

        Args:
            now: Seconds on the owner's clock.
            control: The few requests outside the window; each is looked at.
        """
        while self.in_flight:
            number, exchange = next(iter(self.in_flight.items()))
            if exchange.deadline > now:
                break
            yield self._give_up(self.in_flight, number)
        for number in [number for number, each in control.items() if each.deadline <= now]:
            yield self._give_up(control, number)

    def _give_up(self, waiting: dict[int, Exchange], number: int) -> Exchange:
        exchange = self.late[number] = waiting.pop(number)
        if len(self.late) > KEPT_LATE:
            del self.late[next(iter(self.late))]
        return exchange
