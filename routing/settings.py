"""How suspicious the evidence book is, every number with its reason.

The defaults were measured by simulation: the crudest fakers are found, honest routes left alone.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from .networks import Network


@attrs.frozen(kw_only=True)
class EvidenceSettings:
    """How suspicious we are; networks differ, so what they are known to do can be said."""

    latency_floor: float = 1.0
    """Seconds that a handset on a mobile network needs at least to confirm."""
    latency_floors: Mapping[Network, float] = MappingProxyType({})
    """Where probes have shown another floor (IMS can confirm in less)."""
    tail_share: float = 0.02
    """Share of messages that fail or take over a minute on any honest network, at least."""
    tail_shares: Mapping[Network, float] = MappingProxyType({})
    responses_may_follow: frozenset[str] = frozenset()
    """Ids of routes whose carriers are known to send receipts before responses."""
    one_error_code: frozenset[str] = frozenset()
    """Ids of routes whose carriers are known to have one error code for everything."""
    window: int = 1_000
    """Finals that tests look at; the number at which the tests were measured to work."""
    window_age: float = 86_400.0
    """Seconds after which a final is looked at no longer."""
    block: int = 100
    """New finals between two rounds of tests: fewer rounds, fewer false alarms."""
    half_life: float = 6 * 3600.0
    """Seconds in which a receipt loses half its weight in the ranking."""
    feedback_half_life: float = 7 * 86_400.0
    """The same for probes and conversions, which are few."""
    ranked_from: int = 50
    """Finals below which a prior ranks the route, and its confidence is low."""
    quarantine: float = 86_400.0
    """Seconds of quarantine after strong findings; doubled with each relapse."""
    quarantine_limit: float = 7 * 86_400.0
    probation_probes: int = 15
    """Good probes in a row that end a probation; as many as the sequential test needs."""
