"""Routes as a sender sees them: what honest ones report, and what each kind of grey one makes up.

Numbers only, no wire: receipts, canaries, probes and conversions, drawn from one `Random`. What they
are for is to measure how soon the evidence book finds a liar, and how often it suspects the honest.
The honest families are assumptions (log-normal latencies, a late and a failing share), wide enough
that a network of one's own lies between them.
"""

import math
from random import Random

import attrs

from whiteroute.routing import EvidenceBook, Network, RouteState

from .latencies import CONSTANT, EVEN, INSTANT, LIKE_A_NETWORK, Latency

__all__ = ["FAKERS", "HONEST", "HOME", "GreyRoute", "HonestRoute", "Seen", "observe"]

HOME = Network("214", "07")
"""The network that all messages are for."""
_ABROAD = Network("214", "03")
_ERRORS = ("ABSENT_SUBSCRIBER", "UNKNOWN_SUBSCRIBER", "NETWORK_FAILURE", "MEMORY_FULL")
_HOUR = 3600.0


@attrs.frozen(kw_only=True)
class Seen:
    """One final receipt as the sender sees it."""

    delivered: bool
    latency: float
    """Seconds."""
    error: str | None = None
    network_seen: Network | None = None


@attrs.frozen(kw_only=True)
class HonestRoute:
    """A route that reports what happens on the handsets of one network."""

    name: str
    median: float
    """Seconds that a handset in reach takes to confirm."""
    sigma: float
    """Spread of the logarithm of that."""
    late: float = 0.03
    """Share of handsets that were off or out of reach: they confirm a minute to an hour later."""
    failed: float = 0.03
    evening: float = 1.0
    """What the median is multiplied by from 18 to 22 hours."""
    floor: float = 1.0
    """Seconds below which no handset of this network confirms, as probes have shown."""
    converted: float = 0.6

    def report(self, chance: Random, at: float) -> Seen:
        """What comes back of one message sent at `at` seconds after midnight."""
        draw = chance.random()
        if draw < self.failed:
            return Seen(
                delivered=False, latency=chance.uniform(2, 900), error=chance.choice(_ERRORS)
            )
        if draw < self.failed + self.late:
            return Seen(delivered=True, latency=60 * math.exp(chance.uniform(0, math.log(60))))
        busy = self.evening if 18 <= at / _HOUR % 24 < 22 else 1.0
        return Seen(
            delivered=True, latency=busy * self.median * math.exp(chance.gauss(0.0, self.sigma))
        )

    def canary(self, chance: Random) -> bool:
        """Whether a number held to be dead is reported as delivered: one in a hundred has a new owner."""
        return chance.random() < 0.01

    def probe(self, chance: Random) -> dict[str, bool]:
        """What a handset of ours sees of a message reported as delivered; handsets fail, too."""
        good = chance.random() >= 0.01
        return {"received": good} | ({"sender_kept": True, "content_kept": True} if good else {})


HONEST = (
    HonestRoute(name="steady", median=2.2, sigma=0.25, late=0.02, failed=0.015),
    HonestRoute(name="usual", median=3.0, sigma=0.5),
    HonestRoute(name="handsets asleep", median=4.0, sigma=0.6, late=0.15, failed=0.045),
    HonestRoute(name="roaming", median=6.0, sigma=0.9, late=0.05, failed=0.04),
    HonestRoute(name="congested evenings", median=2.5, sigma=0.4, evening=6.0),
    HonestRoute(name="fast over IMS", median=0.7, sigma=0.4, late=0.02, failed=0.02, floor=0.15),
)
"""Families of honest networks."""


@attrs.frozen(kw_only=True)
class GreyRoute:
    """A route that drops some or all messages and makes up what it reports of them."""

    name: str
    faked: float = 1.0
    """Share of the messages that are dropped; the rest goes over an honest route."""
    latency: Latency | None = None
    """Draws the seconds of an invented receipt; None where receipts are what an honest route's are."""
    failed: float = 0.0
    """Share of invented receipts that report a failure."""
    abroad: float = 0.0
    """Share of receipts that name another network than the number's."""
    confirms_dead_numbers: bool = True
    keeps_sender: bool = True
    honest: HonestRoute = HONEST[1]

    def report(self, chance: Random, at: float) -> Seen:
        """What comes back of one message."""
        seen = self.honest.report(chance, at)
        if self.latency is not None and chance.random() < self.faked:
            failed = chance.random() < self.failed
            seen = Seen(
                delivered=not failed,
                latency=self.latency(chance),
                error=chance.choice(_ERRORS) if failed else None,
            )
        if self.abroad:
            network = _ABROAD if chance.random() < self.abroad else HOME
            seen = attrs.evolve(seen, network_seen=network)
        return seen

    def canary(self, chance: Random) -> bool:
        """Whether a number that nobody has is reported as delivered."""
        if self.confirms_dead_numbers and chance.random() < self.faked:
            return chance.random() >= self.failed
        return self.honest.canary(chance)

    def probe(self, chance: Random) -> dict[str, bool]:
        """What a handset of ours sees of a message reported as delivered."""
        if self.latency is not None and chance.random() < self.faked:
            return {"received": False}
        return self.honest.probe(chance) | {"sender_kept": self.keeps_sender}

    @property
    def converted(self) -> float:
        """Share of recipients who act on the message: those who got it."""
        arrives = 1.0 if self.latency is None else 1.0 - self.faked
        return self.honest.converted * arrives


FAKERS = (
    GreyRoute(name="instant", latency=INSTANT),
    GreyRoute(name="constant latency", latency=CONSTANT),
    GreyRoute(name="uniform latency", latency=EVEN),
    GreyRoute(name="no failures", latency=LIKE_A_NETWORK),
    GreyRoute(name="30 % blend, instant", latency=INSTANT, faked=0.3),
    GreyRoute(name="30 % blend, constant", latency=CONSTANT, faked=0.3),
    GreyRoute(name="wrong network", abroad=0.3, confirms_dead_numbers=False),
    GreyRoute(name="sender rewriting", keeps_sender=False, confirms_dead_numbers=False),
    GreyRoute(name="dead-number confirmer", latency=LIKE_A_NETWORK, failed=0.03),
    GreyRoute(name="careful", latency=EVEN, failed=0.03),
)
"""Every kind of faker, by what gives it away, if anything does."""


def observe(
    book: EvidenceBook,
    route: HonestRoute | GreyRoute,
    chance: Random,
    *,
    route_id: str,
    at: float,
    traffic_class: str = "otp",
) -> RouteState | None:
    """Send one message at `at` and record its final receipt.

    Returns:
        The state that it moved the route to; None if it moved nothing.
    """
    seen = route.report(chance, at)
    transition = book.record_receipt(
        route_id,
        HOME,
        traffic_class,
        state=2 if seen.delivered else 5,
        latency=seen.latency,
        error=seen.error,
        network_seen=seen.network_seen,
        now=at + seen.latency,
    )
    return None if transition is None else transition.after
