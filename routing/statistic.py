"""The few statistics that evidence needs: bounds of shares, tails, quantiles, a sequential test.

Plain functions of plain numbers; what they are taken of, and what follows, is not known here.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence

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


def bump_z(ordered: Sequence[float], width: float) -> float:
    """By how many standard errors some interval holds more values than those on both its sides.

    A smooth distribution has no such interval, however narrow or skewed it is; a heap of equal
    values put upon it has. The outer twentieths are not looked at: they are too thin to compare.

    Args:
        ordered: Ascending, not empty.
        width: Of the interval, above 0; neighbours are as wide.
    """
    step = width / 2
    first, last = quantile(ordered, 0.05) - 2 * width, quantile(ordered, 0.95) + 2 * width
    edges = [first + step * k for k in range(min(_MOST_STEPS, int((last - first) / step) + 1))]
    below = [bisect_left(ordered, edge) for edge in edges]
    worst = 0.0
    # Half steps, so that a heap astride an edge is whole in one of the intervals.
    for a, b, c, d in zip(below, below[2:], below[4:], below[6:], strict=False):
        inside, beside = c - b, (b - a + d - c) / 2
        if inside > beside:
            worst = max(worst, (inside - beside) / math.sqrt(inside + beside / 2))
    return worst


_MOST_STEPS = 400
"""Half widths looked at; where latencies are spread wider than that, the slow ones are left out."""


def difference_z(good_a: float, total_a: float, good_b: float, total_b: float) -> float:
    """By how many standard errors share a lies above share b; 0 if both are all good or all bad."""
    pooled = (good_a + good_b) / (total_a + total_b)
    variance = pooled * (1 - pooled) * (1 / total_a + 1 / total_b)
    if variance <= 0:
        return 0.0
    return (good_a / total_a - good_b / total_b) / math.sqrt(variance)
