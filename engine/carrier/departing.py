"""Which link takes which part: those with most room, each within its own pace.

It takes from the feeding what may leave and puts it on links. When to look again, and what comes of
parts that could not leave, is the carrier's.
"""

from math import inf

import attrs

from whiteroute.engine.link import Link
from whiteroute.engine.session import Pace
from whiteroute.engine.upkeep import spread

from .feeding import Feeding
from .parts import OutgoingPart

__all__ = ["Departing", "Departure"]

SHORTEST_SLEEP = 1e-4
"""Seconds. A timer does not wake earlier anyway, and the pace makes up for it."""


@attrs.frozen
class Departure:
    """What one look at the parts that may leave came to."""

    unwritten: list[OutgoingPart]
    """They cannot leave: there is no bind any more, or they expired meanwhile."""
    wake_at: float
    """When the pace lets the next one leave; infinite when only news can change anything."""


NOTHING = Departure([], inf)


@attrs.define(eq=False)
class Departing:
    """Sends the parts of one account over its links."""

    feeding: Feeding
    links: list[Link]
    """Those over which we can submit; whoever owns the list changes it as they come and go."""
    sent: int = attrs.field(default=0, init=False)
    """Parts that left so far."""
    _paces: dict[Link, Pace] = attrs.field(factory=dict[Link, Pace], init=False)
    """Of the links, where each has a limit of its own."""
    _turn: int = attrs.field(default=0, init=False)

    @property
    def room(self) -> int | None:
        """Requests that all links together can take; None without any link."""
        if not self.links:
            return None
        return sum(link.session.room for link in self.links)

    def depart(self, now: float) -> Departure:
        """Send what is remembered as far as room and pace go."""
        feeding = self.feeding
        if not feeding.remembered:
            return NOTHING
        if not self.links:
            return Departure(feeding.give_up_remembered(), inf)
        # Among links with the same room another one is the first each time: one that takes messages
        # and never answers them shall not get all there are on a quiet day.
        self._turn = turn = (self._turn + 1) % len(self.links)
        links = self.links[turn:] + self.links[:turn]
        rooms = [link.session.room for link in links]
        paces = self._paces_of(links)
        for place, pace in enumerate(paces):
            rooms[place] = min(rooms[place], pace.allowed(now) or 0)
        room = sum(rooms)
        parts = feeding.depart(room, now)
        unwritten = [part for part in parts if part.expires_at <= now]
        if unwritten:
            parts = [part for part in parts if part.expires_at > now]
        begin = 0
        for place, share in enumerate(spread(len(parts), rooms)):
            if share:
                # Neighbours leave on one link, so that parts of one message arrive in their order.
                _send(links[place], parts[begin : begin + share], now)
                begin += share
                if paces:
                    paces[place].spend(share, now)
        self.sent += len(parts)
        if not feeding.remembered:
            return Departure(unwritten, inf)
        wake_at = feeding.departs_at(now) if begin < room else inf
        if begin == room and paces:
            wake_at = min(
                pace.next_at(now) if link.session.room else inf
                for link, pace in zip(links, paces, strict=True)
            )
        return Departure(unwritten, max(wake_at, now + SHORTEST_SLEEP))

    def _paces_of(self, links: list[Link]) -> list[Pace]:
        """Give each link's own pace; none where links have none."""
        tps = self.feeding.pacing.settings.profile.pace.tps_per_bind
        if tps is None:
            return []
        if len(self._paces) > 2 * len(links):
            self._paces = {link: self._paces[link] for link in links if link in self._paces}
        paces: list[Pace] = []
        for link in links:
            pace = self._paces.get(link)
            if pace is None or pace.rate != tps:
                pace = self._paces[link] = Pace(tps)
            paces.append(pace)
        return paces


def _send(link: Link, parts: list[OutgoingPart], now: float) -> None:
    request = link.session.request
    first = request(parts[0].pdu, now, parts[0])
    for part in parts[1:]:
        request(part.pdu, now, part)
    link.sent(first.deadline)
