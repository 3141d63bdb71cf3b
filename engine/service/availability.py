"""Whether each carrier could submit now, looked at once for all messages of the same moment."""

from collections.abc import Iterator, Mapping

import attrs

from whiteroute.engine.carrier import Carrier
from whiteroute.routing import Availability, RouteTable

__all__ = ["Availabilities"]

LOOKED_AT_FOR = 0.01
"""Seconds for which what was seen of a carrier is used. A carrier takes tens of messages meanwhile; the
ranking counts room in quarters of its window."""


@attrs.define(eq=False)
class Availabilities(Mapping[str, Availability]):
    """By route id, as `whiteroute.routing.choose` reads it; a carrier that is gone counts as down.

    A full window, or a pause, refuses nothing: that is what the queue is for. What waits there counts as
    in flight, so that another carrier with room comes first.
    """

    carriers: Mapping[str, Carrier]
    routes: RouteTable
    _known: dict[str, Availability] = attrs.field(factory=dict[str, Availability], init=False)
    _by_carrier: dict[str, Availability] = attrs.field(factory=dict[str, Availability], init=False)
    _until: float = attrs.field(default=0.0, init=False)

    def look(self, routes: RouteTable, now: float) -> None:
        """Look anew, if the last time was long enough ago or the routes are others."""
        if now >= self._until or routes is not self.routes:
            self.forget()
            self.routes = routes
            self._until = now + LOOKED_AT_FOR

    def forget(self) -> None:
        """Look anew the next time, because a bind came up or went down."""
        self._until = 0.0
        self._known.clear()
        self._by_carrier.clear()

    def __getitem__(self, route_id: str) -> Availability:
        known = self._known.get(route_id)
        if known is None:
            name = self.routes[route_id].carrier
            known = self._by_carrier.get(name)
            if known is None:
                known = self._by_carrier[name] = _look_at(self.carriers.get(name))
            self._known[route_id] = known
        return known

    def __iter__(self) -> Iterator[str]:
        return (route.id for route in self.routes)

    def __len__(self) -> int:
        return len(self.routes)


def _look_at(carrier: Carrier | None) -> Availability:
    if carrier is None or not carrier.is_bound:
        return Availability(bound=False)
    figures = carrier.statistics()
    window = sum(link.window for link in figures.links)
    return Availability(
        bound=not figures.suspended,
        window=window,
        in_flight=max(0, min(window - 1, figures.in_flight + figures.queued)),
    )
