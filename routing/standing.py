"""What is known of a route besides its declaration: how it has behaved, how it is this second.

The evidence book makes the first, the engine the second; routing only reads them.
"""

from enum import StrEnum
from typing import Protocol

import attrs

from .networks import Network


class RouteState(StrEnum):
    """How far a route is trusted for one network and traffic class."""

    ACTIVE = "ACTIVE"
    WATCH = "WATCH"
    """Something is odd: an alarm, and half its share."""
    QUARANTINED = "QUARANTINED"
    """No customer traffic; probes and canaries only."""
    PROBATION = "PROBATION"
    """After quarantine: still probes only, until enough of them have come out well."""


@attrs.frozen(kw_only=True)
class Standing:
    """What the evidence says of one route for one network and traffic class."""

    state: RouteState = RouteState.ACTIVE
    delivered_low: float
    """Lower bound of the share of deliveries among finals that speak about the route; 0 to 1."""
    delivered_high: float
    """Upper bound of the same."""
    latency_p90: float | None = None
    """Seconds to the receipt that nine of ten deliveries kept; None if there were none."""
    low_confidence: bool = False
    """True if there are too few observations, and the bounds come from a prior."""


class Evidence(Protocol):
    """The evidence as it stands at one instant."""

    def standing(self, route_id: str, network: Network, traffic_class: str) -> Standing:
        """How the route stands; for one that nothing is known of, the prior."""
        ...


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Availability:
    """Whether a route could submit now; made by the engine from its binds, treated as a value."""

    bound: bool
    """Whether the carrier has a bind that can submit."""
    window: int = 1
    """Requests that may wait for their response at once, over all such binds."""
    in_flight: int = 0
    """Requests that do."""
    rate_left: float = 1.0
    """Free share of our agreed rate; 0 to 1."""
    throttle_ratio: float = 0.0
    """Share of recent requests that the carrier throttled; 0 to 1."""
    throttled_for: float = 0.0
    """Seconds of pause left that the carrier, or our own rate, imposes; 0 if none."""
    circuit_open_for: float = 0.0
    """Seconds for which the carrier is still left alone after failures; 0 if it is not."""

    @property
    def is_open(self) -> bool:
        """Whether a message could be submitted now."""
        return (
            self.bound
            and self.in_flight < self.window
            and self.throttled_for <= 0
            and self.circuit_open_for <= 0
        )

    @property
    def headroom(self) -> float:
        """The scarcest of window, rate and the carrier's patience; 0 to 1."""
        if not self.bound or self.window <= 0:
            return 0.0
        free = 1 - self.in_flight / self.window
        return max(0.0, min(free, self.rate_left, 1 - self.throttle_ratio))
