"""The few statistics that evidence needs: bounds of shares, tails, quantiles, a sequential test.

Plain functions of plain numbers; what they are taken of, and what follows, is not known here.
"""

import math
from collections.abc import Sequence
from operator import sub

RANKING_Z = 1.96
"""Two-sided 5 %: for comparing routes."""
ALARM_Z = 3.72
"""One-sided 1e-4: small enough that tests repeated every hundred receipts stay quiet for years."""

SPRT_BAD = math.log(0.20 / 0.01)
"""What a bad observation adds (3.00), for 1 % bad ones among honest routes and 20 % among others."""
SPRT_GOOD = math.log(0.80 / 0.99)
"""What a good one adds (-0.213)."""
SPRT_ALARM = math.log(0.95 / 0.001)
"""Score (6.86) from which a route is held to be bad: one honest route in a thousand gets there."""
SPRT_CLEAR = math.log(0.05 / 0.999)
"""Score (-2.99) from which it is held to be good: one bad route in twenty gets there."""


def wilson(good: float, total: float, z: float) -> tuple[float, float]:
    """Bounds of a share of which `good` of `total` were seen; (0, 1) if nothing was."""
    if total <= 0:
        return 0.0, 1.0
    share, square = good / total, z * z
    centre = share + square / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    scale = 1 + square / total
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def at_most(count: int, total: int, share: float) -> float:
    """Probability of `count` or fewer among `total` if each comes with probability `share`.

    Args:
        count: 0 to `total`.
        total: 1 or more.
        share: Above 0 and below 1.
    """
    hit, miss = math.log(share), math.log1p(-share)
    ways = math.lgamma(total + 1)
    terms = (
        math.exp(
            ways - math.lgamma(k + 1) - math.lgamma(total - k + 1) + k * hit + (total - k) * miss
        )
        for k in range(count + 1)
    )
    return min(1.0, math.fsum(terms))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ordered, non-empty values lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def densest(ordered: Sequence[float], width: float, above: int = 0) -> int:
    """How many of the ordered values lie together in one interval of that width, at most.

    Args:
        ordered: Ascending.
        width: Of the interval.
        above: Give 0 where no more than so many lie together: then most samples need one quick pass
            instead of a slow one.
    """
    n = len(ordered)
    if above and not (above < n and min(map(sub, ordered[above:], ordered)) <= width):
        return 0
    most = first = 0
    for last, value in enumerate(ordered):
        while value - ordered[first] > width:
            first += 1
        most = max(most, last - first + 1)
    return most


def difference_z(good_a: float, total_a: float, good_b: float, total_b: float) -> float:
    """By how many standard errors share a lies above share b; 0 if both are all good or all bad."""
    pooled = (good_a + good_b) / (total_a + total_b)
    variance = pooled * (1 - pooled) * (1 / total_a + 1 / total_b)
    if variance <= 0:
        return 0.0
    return (good_a / total_a - good_b / total_b) / math.sqrt(variance)
