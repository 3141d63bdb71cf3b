"""What receipts, read together, say about a route: one small test per suspicion.

Each looks at a window of recent finals and gives a number to hold against a threshold. No single
receipt proves anything, and a careful faker passes all of these: canaries, probes and conversions
(`evidence.py`) exist because of that.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import attrs

from .networks import Network
from .statistic import ALARM_Z, at_most, densest, quantile, wilson


class Severity(StrEnum):
    """What a finding can do."""

    WEAK = "WEAK"
    """Three of them put a route on watch."""
    STRONG = "STRONG"
    """One puts it on watch; two of different families, or one that stays, in quarantine."""
    CONCLUSIVE = "CONCLUSIVE"
    """Quarantine at once, until somebody releases the route."""


class Family(StrEnum):
    """Findings of one family may have one innocent cause in common, and count as one."""

    TIMING = "TIMING"
    OUTCOME = "OUTCOME"
    ABSENCE = "ABSENCE"
    NETWORK = "NETWORK"
    FEEDBACK = "FEEDBACK"
    HANDSET = "HANDSET"
    FORM = "FORM"


class Suspicion(StrEnum):
    """What can be found; each knows its `severity`, `family` and `meaning`."""

    severity: Severity
    family: Family
    meaning: str

    # The defaults are never used: they let type checkers accept the look-up `Suspicion("...")`.
    def __new__(
        cls,
        name: str,
        severity: Severity = Severity.WEAK,
        family: Family = Family.FORM,
        meaning: str = "",
    ) -> "Suspicion":
        """Make a member from its row below."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.severity = severity
        member.family = family
        member.meaning = meaning
        return member

    DEAD_NUMBER_DELIVERED = (
        "DEAD_NUMBER_DELIVERED",
        Severity.CONCLUSIVE,
        Family.HANDSET,
        "Messages to numbers that nobody has were reported as delivered.",
    )
    PROBE_NOT_RECEIVED = (
        "PROBE_NOT_RECEIVED",
        Severity.CONCLUSIVE,
        Family.HANDSET,
        "Messages reported as delivered did not reach the handset that waited for them.",
    )
    SENDER_REWRITTEN = (
        "SENDER_REWRITTEN",
        Severity.CONCLUSIVE,
        Family.HANDSET,
        "The handset saw another sender than the one submitted.",
    )
    SMSC_MISMATCH = (
        "SMSC_MISMATCH",
        Severity.CONCLUSIVE,
        Family.HANDSET,
        "The message reached the handset from a message centre that is not the operator's.",
    )
    CONTENT_ALTERED = (
        "CONTENT_ALTERED",
        Severity.CONCLUSIVE,
        Family.HANDSET,
        "The handset saw another text than the one submitted.",
    )
    RECEIPT_TOO_FAST = (
        "RECEIPT_TOO_FAST",
        Severity.STRONG,
        Family.TIMING,
        "Too many receipts come faster than a handset can answer.",
    )
    RECEIPT_UNIFORM = (
        "RECEIPT_UNIFORM",
        Severity.STRONG,
        Family.TIMING,
        "Receipts take nearly the same time each, as no handsets do.",
    )
    NO_FAILURE_TAIL = (
        "NO_FAILURE_TAIL",
        Severity.STRONG,
        Family.OUTCOME,
        "Hardly any message failed or came late, though some handsets are always off.",
    )
    RECEIPT_SPIKE = (
        "RECEIPT_SPIKE",
        Severity.WEAK,
        Family.TIMING,
        "Too many receipts take exactly one and the same time.",
    )
    RECEIPT_MISSING = (
        "RECEIPT_MISSING",
        Severity.STRONG,
        Family.ABSENCE,
        "Too many messages never get a final receipt, so nothing can be verified.",
    )
    NETWORK_MISMATCH = (
        "NETWORK_MISMATCH",
        Severity.STRONG,
        Family.NETWORK,
        "Receipts name another network than the one the numbers belong to.",
    )
    CONVERSION_DROP = (
        "CONVERSION_DROP",
        Severity.STRONG,
        Family.FEEDBACK,
        "Recipients act on the messages far less than on those of other routes.",
    )
    TOO_GOOD_VS_COHORT = (
        "TOO_GOOD_VS_COHORT",
        Severity.WEAK,
        Family.OUTCOME,
        "Better delivery than any other route to the same network can show.",
    )
    RECEIPT_BEFORE_RESP = (
        "RECEIPT_BEFORE_RESP",
        Severity.WEAK,
        Family.FORM,
        "Receipts overtake the responses to their own submission.",
    )
    DONE_EQ_SUBMIT = (
        "DONE_EQ_SUBMIT",
        Severity.WEAK,
        Family.FORM,
        "Receipts claim that delivery took no time, though they took theirs.",
    )
    ERR_MONOCULTURE = (
        "ERR_MONOCULTURE",
        Severity.WEAK,
        Family.OUTCOME,
        "All failures bear the same error code.",
    )


@attrs.frozen(kw_only=True)
class Finding:
    """One suspicion with the numbers that caused it."""

    test: Suspicion
    severity: Severity
    statistic: float
    threshold: float
    n: int
    """Observations it rests on."""


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


@attrs.define(slots=True, weakref_slot=False)
class Final:
    """The end of one message as a route reported it, or its absence; treated as a value."""

    at: float
    delivered: bool
    missing: bool = False
    latency: float | None = None
    error: str | None = None
    elsewhere: bool | None = None
    """Whether the receipt names another network; None if it names none."""
    early: bool = False
    """Whether it came before the response."""
    instant: bool | None = None
    """Whether its two dates are the same; None if it lacks one."""


@attrs.frozen(kw_only=True)
class Window:
    """The recent finals of one route, sorted out for the tests."""

    route_id: str
    network: Network | None
    """None for all networks of a country taken together."""
    settings: EvidenceSettings
    finals: Sequence[Final]
    missing: int
    latencies: Sequence[float]
    """Of deliveries, ascending."""

    @classmethod
    def of(
        cls,
        seen: Sequence[Final],
        *,
        route_id: str,
        network: Network | None,
        settings: EvidenceSettings,
    ) -> "Window":
        """Sort out what was seen."""
        finals = [final for final in seen if not final.missing]
        return cls(
            route_id=route_id,
            network=network,
            settings=settings,
            finals=finals,
            missing=len(seen) - len(finals),
            latencies=sorted(
                final.latency for final in finals if final.delivered and final.latency is not None
            ),
        )


def _finding(test: Suspicion, statistic: float, threshold: float, n: int) -> Finding:
    return Finding(test=test, severity=test.severity, statistic=statistic, threshold=threshold, n=n)


def _too_fast(window: Window) -> Finding | None:
    n, settings = len(window.latencies), window.settings
    floor = settings.latency_floor
    if window.network is not None:
        floor = settings.latency_floors.get(window.network, floor)
    low, _ = wilson(sum(latency < floor for latency in window.latencies), n, ALARM_Z)
    if n < 100 or low <= 0.20:
        return None
    return _finding(Suspicion.RECEIPT_TOO_FAST, low, 0.20, n)


def _uniform(window: Window) -> Finding | None:
    n = len(window.latencies)
    if n < 200:
        return None
    low, median, high = (quantile(window.latencies, share) for share in (0.1, 0.5, 0.9))
    spread = (high - low) / median if median > 0 else 0.0
    return _finding(Suspicion.RECEIPT_UNIFORM, spread, 0.25, n) if spread < 0.25 else None


def _no_tail(window: Window) -> Finding | None:
    n, settings = len(window.finals), window.settings
    if n < 500:
        return None
    share = settings.tail_share
    if window.network is not None:
        share = settings.tail_shares.get(window.network, share)
    tail = sum(
        not final.delivered or (final.latency is not None and final.latency > 60.0)
        for final in window.finals
    )
    chance = at_most(tail, n, share)
    return _finding(Suspicion.NO_FAILURE_TAIL, chance, 1e-4, n) if chance < 1e-4 else None


def _spike(window: Window) -> Finding | None:
    n = len(window.latencies)
    if n < 500:
        return None
    together = densest(window.latencies, 0.05 * quantile(window.latencies, 0.5))
    low, _ = wilson(together, n, ALARM_Z)
    return _finding(Suspicion.RECEIPT_SPIKE, low, 0.10, n) if low > 0.10 else None


def _missing(window: Window) -> Finding | None:
    n = len(window.finals) + window.missing
    _, high = wilson(len(window.finals), n, ALARM_Z)
    if n < 200 or high >= 0.80:
        return None
    return _finding(Suspicion.RECEIPT_MISSING, high, 0.80, n)


def _elsewhere(window: Window) -> Finding | None:
    named = [final.elsewhere for final in window.finals if final.elsewhere is not None]
    low, _ = wilson(sum(named), len(named), ALARM_Z)
    if len(named) < 50 or low <= 0.05:
        return None
    return _finding(Suspicion.NETWORK_MISMATCH, low, 0.05, len(named))


def _early(window: Window) -> Finding | None:
    n = len(window.finals)
    if n < 200 or window.route_id in window.settings.responses_may_follow:
        return None
    share = sum(final.early for final in window.finals) / n
    return _finding(Suspicion.RECEIPT_BEFORE_RESP, share, 0.05, n) if share > 0.05 else None


def _instant(window: Window) -> Finding | None:
    dated = [final.instant for final in window.finals if final.instant is not None]
    if len(dated) < 200 or not window.latencies or quantile(window.latencies, 0.5) <= 5.0:
        return None
    share = sum(dated) / len(dated)
    return _finding(Suspicion.DONE_EQ_SUBMIT, share, 0.95, len(dated)) if share > 0.95 else None


def _one_error(window: Window) -> Finding | None:
    codes = Counter(final.error for final in window.finals if not final.delivered)
    n = codes.total()
    if n < 50 or len(codes) > 1 or window.route_id in window.settings.one_error_code:
        return None
    return _finding(Suspicion.ERR_MONOCULTURE, 1, 1, n)


RECEIPT_TESTS: tuple[Callable[[Window], Finding | None], ...] = (
    _too_fast,
    _uniform,
    _no_tail,
    _spike,
    _missing,
    _elsewhere,
    _early,
    _instant,
    _one_error,
)
"""All that can be read from receipts of one route alone."""


def receipt_findings(window: Window) -> tuple[Finding, ...]:
    """What the receipts of one route say about it."""
    findings = (test(window) for test in RECEIPT_TESTS)
    return tuple(finding for finding in findings if finding is not None)
