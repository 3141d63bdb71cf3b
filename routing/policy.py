"""What our own house demands of a route: the knobs of the gate and of the ranking.

A policy can be made stricter without end, and looser only where that cannot let grey traffic
through: no field, flag or combination of them admits SIM cards or leased signalling addresses.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from .errors import RoutingFactError
from .networks import Confidence
from .route import InterconnectKind, TrafficClass

FORBIDDEN_KINDS: Final = frozenset({InterconnectKind.SIM, InterconnectKind.SS7_LEASED_GT})
"""Kinds that are refused by name, whatever else a policy says."""
NEVER_DIRECT: Final = FORBIDDEN_KINDS | {InterconnectKind.UNKNOWN}
"""Kinds that no policy can allow."""


class OnUnresolved(StrEnum):
    """What to do when the network of a number is not known as surely as demanded."""

    REJECT = "REJECT"
    USE_STALE = "USE_STALE"
    """An answer whose time is over still counts, up to `Policy.stale_max_age`."""
    USE_PREFIX = "USE_PREFIX"
    """The range the number was issued from counts, even where numbers are portable."""


class Criterion(StrEnum):
    """By what routes are ranked; the values are the keys of `scores`."""

    DELIVERY = "delivery"
    """Lower bound of the delivered share; routes whose intervals overlap count as equal."""
    LATENCY = "latency"
    """90th percentile of the time to the receipt, over the target of the class."""
    HEADROOM = "headroom"
    """Free share of window and rate, in quarters so that ripples do not decide."""
    COST = "cost"
    """Price of one part, if all candidates are priced in the same currency."""


_DELIVERY_FIRST = (Criterion.DELIVERY, Criterion.LATENCY, Criterion.HEADROOM, Criterion.COST)
_DEFAULT_RANKING: Mapping[str, tuple[Criterion, ...]] = MappingProxyType(
    {
        TrafficClass.OTP: _DELIVERY_FIRST,
        TrafficClass.TRANSACTIONAL: _DELIVERY_FIRST,
        # Minutes do not matter to an offer, money does.
        TrafficClass.MARKETING: (Criterion.DELIVERY, Criterion.COST, Criterion.HEADROOM),
        TrafficClass.P2P: _DELIVERY_FIRST,
    }
)
_LATENCY_TARGET = 30.0
_DEFAULT_LATENCY_TARGETS: Mapping[str, float] = MappingProxyType(
    {
        # A code is waited for with the phone in hand.
        TrafficClass.OTP: 10.0,
        TrafficClass.TRANSACTIONAL: _LATENCY_TARGET,
        TrafficClass.MARKETING: 600.0,
        TrafficClass.P2P: _LATENCY_TARGET,
    }
)
_NOTHING: Mapping[str, OnUnresolved] = MappingProxyType({})


@attrs.frozen(kw_only=True, eq=False)
class Policy:
    """The demands; the defaults are the strict ones. Compared by identity."""

    allowed_kinds: frozenset[InterconnectKind] = frozenset(
        {InterconnectKind.DIRECT_MNO, InterconnectKind.DIRECT_MVNO_HOST}
    )
    """Kinds that count as direct; never one of NEVER_DIRECT."""
    max_hops: int = 0
    """0 or 1; a hop of 1 also needs an OPERATOR_RESELLER_LETTER."""
    max_attestation_age_days: int = 180
    """Half a year: contracts are reviewed yearly, so every attestation is seen twice a year."""
    price_tolerance: Decimal = Decimal(0)
    """Share by which a price may lie under the operator's rate (volume discounts); 0 to 1."""
    require_sender_preserved: bool = True
    """False where the country's rules rewrite senders anyway; silence still rejects."""
    require_domestic_origin: bool = False
    """Whether traffic must enter in the country of the number (`Peer.origin_countries`)."""
    require_pinned_peer: bool = False
    """Whether an undeclared `Peer.pinned_hosts` rejects; a declared one always binds."""
    require_mnp: bool = False
    """Whether, where numbers are portable, the range of a number does not tell its network."""
    portable_countries: frozenset[str] | None = None
    """MCCs of the countries with portable numbers. Default: None, all of them."""
    min_confidence: Confidence = Confidence.LOW
    on_unresolved: Mapping[str, OnUnresolved] = _NOTHING
    """Per traffic class; classes left out REJECT."""
    stale_max_age: float = 7 * 86_400.0
    """Seconds after which USE_STALE takes no answer either: a week, as portings take days."""
    require_evidence: bool = False
    """Whether a route without enough observations is refused."""
    blocked_routes: frozenset[str] = frozenset()
    """Ids of routes that carry nothing until further notice."""
    min_validity: float = 5.0
    """Seconds a message must have left: less than any handset needs, so never a waste."""
    ranking: Mapping[str, tuple[Criterion, ...]] = _DEFAULT_RANKING
    """Criteria per class, the first decides; classes left out rank as OTP does."""
    latency_targets: Mapping[str, float] = _DEFAULT_LATENCY_TARGETS
    """Seconds to the receipt that are good enough, per class."""
    exploration: float = 0.03
    """Share of messages given first to a route that has too little evidence to rank; 0 to 0.5."""

    def __attrs_post_init__(self) -> None:
        forbidden = self.allowed_kinds & NEVER_DIRECT
        if forbidden:
            raise RoutingFactError(
                "allowed_kinds", listed(forbidden), f"none of {listed(NEVER_DIRECT)}: never direct"
            )
        if self.max_hops not in (0, 1):
            raise RoutingFactError("max_hops", self.max_hops, "0 or 1: two hops are never direct")
        if self.max_attestation_age_days < 0:
            raise RoutingFactError(
                "max_attestation_age_days", self.max_attestation_age_days, "0 or more days"
            )
        if not 0 <= self.price_tolerance < 1:
            raise RoutingFactError("price_tolerance", str(self.price_tolerance), "0 to below 1")
        if not 0 <= self.exploration <= 0.5:
            raise RoutingFactError("exploration", self.exploration, "0 to 0.5")

    def criteria(self, traffic_class: str) -> tuple[Criterion, ...]:
        """By what this class is ranked, the first criterion decides."""
        return self.ranking.get(traffic_class, _DELIVERY_FIRST)

    def latency_target(self, traffic_class: str) -> float:
        """Seconds to the receipt that are good enough for this class."""
        return self.latency_targets.get(traffic_class, _LATENCY_TARGET)


DEFAULT_POLICY: Final = Policy()
"""The strict defaults, one object, so that verdicts under it are remembered together."""


def listed(values: Iterable[str]) -> str:
    """Several values of a fact as one text, in an order that never changes."""
    return ", ".join(sorted(values))
