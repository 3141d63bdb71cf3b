"""The order of routes that may all carry the message: the best first, chance nowhere.

Criteria are taken one after the other; each only decides where it sees a difference that is real
(intervals that do not overlap, quarters of headroom). What is still equal is shared out by a hash
of the message_ref, weighted by the routes' shares, so that the same message always goes the same
way and every decision can be repeated.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from math import ceil, log
from typing import TypeVar
from zlib import crc32

import attrs

from .policy import Criterion, Policy
from .route import Route
from .standing import RouteState, Standing

_Step = TypeVar("_Step", int, Decimal)

_WATCHED_SHARE = 0.5
"""Part of its share that a watched route keeps: still enough traffic to learn the truth."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Scores:
    """What a route was ranked by; None where nothing is known, which is never held against it."""

    delivery: float | None = None
    """Lower bound of the delivered share."""
    delivery_high: float | None = None
    """Upper bound of it."""
    latency: float | None = None
    """90th percentile of the time to the receipt over the target of the class; good below 1."""
    headroom: float | None = None
    """Free share of window and rate."""
    cost: Decimal | None = None
    """Price of one part."""
    currency: str | None = None
    low_confidence: bool | None = None
    """Whether delivery is mostly a prior; None without evidence."""

    def to_dict(self) -> dict[str, float | str | bool | None]:
        """The scores as `explain --json` prints them; sums as text."""
        return {
            "delivery": self.delivery,
            "delivery_high": self.delivery_high,
            "latency": self.latency,
            "headroom": self.headroom,
            "cost": None if self.cost is None else str(self.cost),
            "currency": self.currency,
            "low_confidence": self.low_confidence,
        }


@attrs.define(slots=True, weakref_slot=False)
class RankedRoute:
    """One route that may carry the message, with what decided its place."""

    route: Route
    scores: Scores
    share: float
    """Its weight among equals: as declared, halved while it is watched."""


def scored(
    route: Route, standing: Standing | None, headroom: float | None, latency_target: float
) -> RankedRoute:
    """The route with everything that is known to rank it by."""
    scores = Scores()
    scores.headroom = headroom
    share = route.share
    assert route.price is not None, "the gate lets no route pass without a price"
    scores.cost, scores.currency = route.price.amount, route.price.currency
    if standing is not None:
        scores.delivery = standing.delivered_low
        scores.delivery_high = standing.delivered_high
        scores.low_confidence = standing.low_confidence
        if standing.latency_p90 is not None:
            scores.latency = standing.latency_p90 / latency_target
        if standing.state is RouteState.WATCH:
            share *= _WATCHED_SHARE
    return RankedRoute(route, scores, share)


def ranked(
    candidates: Sequence[RankedRoute], *, message_ref: str, traffic_class: str, policy: Policy
) -> tuple[RankedRoute, ...]:
    """The candidates, best first.

    A small share of the messages (`Policy.exploration`) goes first to candidates of low confidence:
    no route could earn its evidence otherwise.
    """
    if len(candidates) < 2:
        return tuple(candidates)
    drawn = _seed(message_ref)
    order = _ordered(list(candidates), policy.criteria(traffic_class), drawn)
    for each in order:
        if each.scores.low_confidence and _fraction(drawn, "explore") < policy.exploration:
            # Sorting keeps the order among those that are alike in this.
            order.sort(key=lambda each: not each.scores.low_confidence)
            break
    return tuple(order)


Group = list[RankedRoute]


def _ordered(group: Group, criteria: Sequence[Criterion], drawn: int) -> Group:
    """Split by the first criterion that sees a difference, and each part by those behind it."""
    for position, criterion in enumerate(criteria, 1):
        parts = _SPLITS[criterion](group)
        if len(parts) > 1:
            order: Group = []
            for part in parts:
                rest = criteria[position:]
                order += part if len(part) < 2 else _ordered(part, rest, drawn)
            return order
    return _drawn_order(group, drawn)


def _by_delivery(group: Group) -> list[Group]:
    """Those that may be as good as the best one, then those that may be as good as the next."""
    lows = [each.scores.delivery for each in group if each.scores.delivery is not None]
    if len(lows) < len(group):  # without evidence about all, it decides about none
        return [group]
    best = max(lows)
    equals = [each for each in group if (each.scores.delivery_high or 0.0) >= best]
    if len(equals) == len(group):
        return [group]
    rest = [each for each in group if (each.scores.delivery_high or 0.0) < best]
    return [equals, *_by_delivery(rest)]


def _by_latency(group: Group) -> list[Group]:
    """Up to the target all are equal; beyond it quarters of the target make the steps."""
    late = (each.scores.latency for each in group)
    return _stepwise(
        group, [4 if share is None or share <= 1 else ceil(share * 4) for share in late]
    )


def _by_headroom(group: Group) -> list[Group]:
    """Quarters, most free first; unknown counts as free."""
    free = (each.scores.headroom for each in group)
    return _stepwise(group, [-4 if share is None else -ceil(share * 4) for share in free])


def _by_cost(group: Group) -> list[Group]:
    """Cheapest first; sums in different currencies are not compared."""
    currency = group[0].scores.currency
    for each in group:
        if each.scores.currency != currency:
            return [group]
    return _stepwise(group, [each.scores.cost or _FREE for each in group])


_FREE = Decimal(0)


def _stepwise(group: Group, values: list[_Step]) -> list[Group]:
    if values.count(values[0]) == len(values):  # the usual case, and hashing decimals is dear
        return [group]
    steps: dict[_Step, Group] = {}
    for value, each in zip(values, group, strict=True):
        steps.setdefault(value, []).append(each)
    return [steps[value] for value in sorted(steps)]


_SPLITS: dict[Criterion, Callable[[Group], list[Group]]] = {
    Criterion.DELIVERY: _by_delivery,
    Criterion.LATENCY: _by_latency,
    Criterion.HEADROOM: _by_headroom,
    Criterion.COST: _by_cost,
}


def _drawn_order(group: Group, drawn: int) -> Group:
    """Weighted rendezvous: over many messages each route wins in proportion to its share.

    When a route joins or leaves, only messages of its own share change their way.
    """
    share = group[0].share
    if all(each.share == share for each in group):  # then the logarithm changes nothing
        return sorted(group, key=lambda each: _fraction(drawn, each.route.id), reverse=True)
    return sorted(
        group, key=lambda each: each.share / -log(_fraction(drawn, each.route.id)), reverse=True
    )


_64_BITS = 2**64 - 1


def _seed(message_ref: str) -> int:
    """A message_ref as 64 bits, the same in every process; as quickly as it can be had."""
    return crc32(message_ref.encode(errors="surrogatepass")) * 0x9E3779B97F4A7C15 & _64_BITS


@lru_cache(maxsize=10_000)
def _salt(text: str) -> int:
    """A route id, or another word of our own, as 64 bits, the same in every process."""
    octets = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(octets, "big")


def _fraction(seed: int, text: str) -> float:
    """A number strictly between 0 and 1 out of a message's seed and a word."""
    mixed = seed ^ _salt(text)
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 & _64_BITS
    # The upper bits of a product are the mixed ones; 52 and a half fit a float exactly, so that
    # neither 0 nor 1 can come out.
    return ((mixed >> 12) + 0.5) / 2**52
