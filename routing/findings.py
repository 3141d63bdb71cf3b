"""What receipts, read together, say about a route: one small test per suspicion.

Each looks at a window of recent finals and gives a number to hold against a threshold. No single
receipt proves anything, and a careful faker passes all of these: canaries, probes and conversions
(`evidence.py`) exist because of that.
"""

from bisect import bisect_left
from collections.abc import Callable
from enum import StrEnum

import attrs

from .recent import Window
from .statistic import ALARM_Z, at_most, bump_z, quantile, wilson


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
    REPLY_PATH_DEAD = (
        "REPLY_PATH_DEAD",
        Severity.WEAK,
        Family.FEEDBACK,
        "Nobody ever replies, though people do on other routes.",
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


def _finding(test: Suspicion, statistic: float, threshold: float, n: int) -> Finding:
    return Finding(test=test, severity=test.severity, statistic=statistic, threshold=threshold, n=n)


def _too_fast(window: Window) -> Finding | None:
    n, settings = len(window.latencies), window.settings
    if n < 100:
        return None
    floor = settings.latency_floor
    if window.network is not None:
        floor = settings.latency_floors.get(window.network, floor)
    low, _ = wilson(bisect_left(window.latencies, floor), n, ALARM_Z)
    return _finding(Suspicion.RECEIPT_TOO_FAST, low, 0.20, n) if low > 0.20 else None


def _uniform(window: Window) -> Finding | None:
    n = len(window.latencies)
    if n < 200:
        return None
    low, median, high = (quantile(window.latencies, share) for share in (0.1, 0.5, 0.9))
    spread = (high - low) / median if median > 0 else 0.0
    return _finding(Suspicion.RECEIPT_UNIFORM, spread, 0.25, n) if spread < 0.25 else None


def _no_tail(window: Window) -> Finding | None:
    n, settings = window.counts.finals, window.settings
    if n < 500:
        return None
    share = settings.tail_share
    if window.network is not None:
        share = settings.tail_shares.get(window.network, share)
    if window.counts.tail >= n * share:
        return None  # as many as expected, or more: about half the chance is below it
    chance = at_most(window.counts.tail, n, share)
    return _finding(Suspicion.NO_FAILURE_TAIL, chance, 1e-4, n) if chance < 1e-4 else None


def _spike(window: Window) -> Finding | None:
    n = len(window.latencies)
    if n < 200:
        return None
    median = quantile(window.latencies, 0.5)
    if median <= 0:
        return None
    z = max(bump_z(window.latencies, share * median) for share in _SPIKE_WIDTHS)
    return _finding(Suspicion.RECEIPT_SPIKE, z, _SPIKE_Z, n) if z > _SPIKE_Z else None


_SPIKE_WIDTHS = (0.05, 0.15)
"""Of the median: a machine's own precision, and a constant with a little noise on it."""
_SPIKE_Z = 6.0
"""Some hundred intervals are compared, so more than ALARM_Z. Measured: the narrowest honest family
(sigma of 0.2) curves so much at its peak that it reaches 4."""


def _missing(window: Window) -> Finding | None:
    finals = window.counts.finals
    n = finals + window.counts.missing
    _, high = wilson(finals, n, ALARM_Z)
    if n < 200 or high >= 0.80:
        return None
    return _finding(Suspicion.RECEIPT_MISSING, high, 0.80, n)


def _elsewhere(window: Window) -> Finding | None:
    n = window.counts.named
    low, _ = wilson(window.counts.elsewhere, n, ALARM_Z)
    return _finding(Suspicion.NETWORK_MISMATCH, low, 0.05, n) if n >= 50 and low > 0.05 else None


def _early(window: Window) -> Finding | None:
    n = window.counts.finals
    if n < 200 or window.route_id in window.settings.responses_may_follow:
        return None
    share = window.counts.early / n
    return _finding(Suspicion.RECEIPT_BEFORE_RESP, share, 0.05, n) if share > 0.05 else None


def _instant(window: Window) -> Finding | None:
    n = window.counts.dated
    if n < 200 or not window.latencies or quantile(window.latencies, 0.5) <= 5.0:
        return None
    share = window.counts.instant / n
    return _finding(Suspicion.DONE_EQ_SUBMIT, share, 0.95, n) if share > 0.95 else None


def _one_error(window: Window) -> Finding | None:
    codes = window.counts.errors
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
