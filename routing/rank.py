"""The order of routes that may all carry the message: the best first, chance nowhere.

Criteria are taken one after the other; each only decides where it sees a difference that is real
(intervals that do not overlap, quarters of headroom). What is still equal is shared out by a hash
of the message_ref, weighted by the routes' shares, so that the same message always goes the same
way and every decision can be repeated.
"""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from hashlib import blake2b

import attrs

from .policy import Criterion, Policy
from .route import Route
from .standing import RouteState, Standing

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


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class RankedRoute:
    """One route that may carry the message, with what decided its place."""

    route: Route
    scores: Scores
    share: float
    """Its weight among equals: as declared, halved while it is watched."""


def scored(
    route: Route,
    *,
    standing: Standing | None,
    headroom: float | None,
    latency_target: float,
) -> RankedRoute:
    """The route with everything that is known to rank it by."""
    price = route.price
    scores = Scores(
        headroom=headroom,
        cost=None if price is None else price.amount,
        currency=None if price is None else price.currency,
    )
    share = route.share
    if standing is not None:
        scores.delivery = standing.delivered_low
        scores.delivery_high = standing.delivered_high
        scores.low_confidence = standing.low_confidence
        if standing.latency_p90 is not None:
            scores.latency = standing.latency_p90 / latency_target
        if standing.state is RouteState.WATCH:
            share *= _WATCHED_SHARE
    return RankedRoute(route=route, scores=scores, share=share)


def ranked(
    candidates: Sequence[RankedRoute], *, message_ref: str, traffic_class: str, policy: Policy
) -> tuple[RankedRoute, ...]:
    """The candidates, best first.

    A small share of the messages (`Policy.exploration`) goes first to candidates of low confidence:
    no route could earn its evidence otherwise.
    """
    if len(candidates) < 2:
        return tuple(candidates)
    order = _ordered(list(candidates), policy.criteria(traffic_class), message_ref)
    unproven = [each for each in order if each.scores.low_confidence]
    if unproven and _fraction(message_ref, "explore") < policy.exploration:
        order = unproven + [each for each in order if not each.scores.low_confidence]
    return tuple(order)


Group = list[RankedRoute]


def _ordered(group: Group, criteria: Sequence[Criterion], message_ref: str) -> Group:
    if len(group) < 2:
        return group
    if not criteria:
        return sorted(group, key=lambda each: _draw(each, message_ref), reverse=True)
    order: Group = []
    for equals in _SPLITS[criteria[0]](group):
        order += _ordered(equals, criteria[1:], message_ref)
    return order


def _by_delivery(group: Group) -> list[Group]:
    """Those that may be as good as the best one, then those that may be as good as the next."""
    known = [each for each in group if each.scores.delivery is not None]
    if len(known) < len(group):  # without evidence about all, it decides about none
        return [group]
    groups = []
    while group:
        threshold = max(each.scores.delivery or 0.0 for each in group)
        groups.append([each for each in group if (each.scores.delivery_high or 0.0) >= threshold])
        group = [each for each in group if (each.scores.delivery_high or 0.0) < threshold]
    return groups


def _by_latency(group: Group) -> list[Group]:
    """Up to the target all are equal; beyond it quarters of the target make the steps."""
    return _stepwise(group, lambda each: max(4, math.ceil((each.scores.latency or 0.0) * 4)))


def _by_headroom(group: Group) -> list[Group]:
    """Quarters, most free first; unknown counts as free."""
    return _stepwise(
        group,
        lambda each: -4 if each.scores.headroom is None else -math.ceil(each.scores.headroom * 4),
    )


def _by_cost(group: Group) -> list[Group]:
    """Cheapest first; sums in different currencies are not compared."""
    if len({each.scores.currency for each in group}) > 1:
        return [group]
    return _stepwise(group, lambda each: each.scores.cost or Decimal(0))


def _stepwise(group: Group, step: Callable[[RankedRoute], int | Decimal]) -> list[Group]:
    values = [step(each) for each in group]
    if values.count(values[0]) == len(values):  # the usual case, and hashing decimals is dear
        return [group]
    steps: dict[int | Decimal, Group] = {}
    for value, each in zip(values, group, strict=True):
        steps.setdefault(value, []).append(each)
    return [steps[value] for value in sorted(steps)]


_SPLITS: dict[Criterion, Callable[[Group], list[Group]]] = {
    Criterion.DELIVERY: _by_delivery,
    Criterion.LATENCY: _by_latency,
    Criterion.HEADROOM: _by_headroom,
    Criterion.COST: _by_cost,
}


def _draw(candidate: RankedRoute, message_ref: str) -> float:
    """Weighted rendezvous: over many messages each route wins in proportion to its share.

    When a route joins or leaves, only messages of its own share change their way.
    """
    return candidate.share / -math.log(_fraction(message_ref, candidate.route.id))


def _fraction(message_ref: str, salt: str) -> float:
    """A number strictly between 0 and 1, the same in every process, from two texts."""
    octets = blake2b(
        f"{message_ref}\0{salt}".encode(errors="surrogatepass"), digest_size=8
    ).digest()
    # 52 bits and a half fit a float exactly, so that neither 0 nor 1 can come out.
    return ((int.from_bytes(octets, "big") >> 12) + 0.5) / 2**52
