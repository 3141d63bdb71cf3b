"""A race of statements: the CPU time of each, in rounds that take turns, so that noise meets them all.

Process time, not the clock: what else the machine does is mostly left out.
"""

import gc
import time
from collections.abc import Mapping
from statistics import median
from timeit import Timer

import attrs

from .figure import Pace


@attrs.frozen(kw_only=True)
class Runner:
    """What is measured of one subject."""

    statement: str
    """Compiled by itself, for each subject anew, as it would stand in a program that has only it."""
    names: Mapping[str, object]
    """What the statement's names stand for."""


def race(runners: Mapping[str, Runner], pace: Pace) -> dict[str, float]:
    """Measure statements beside each other.

    The garbage collector runs as always, and the loop around a statement is counted in: some 10 ns.

    Returns:
        CPU nanoseconds that each takes once, the median of the rounds.
    """
    # timeit switches the collector off before it runs its setup.
    timers = {
        subject: Timer(
            runner.statement, "gc.enable()", time.process_time, {**runner.names, "gc": gc}
        )
        for subject, runner in runners.items()
    }
    counts = {subject: _count(timer, pace.lap) for subject, timer in timers.items()}
    taken: dict[str, list[float]] = {subject: [] for subject in runners}
    for _ in range(pace.rounds):
        for subject, timer in timers.items():
            taken[subject].append(timer.timeit(counts[subject]) / counts[subject] * 1e9)
    return {subject: median(each) for subject, each in taken.items()}


def _count(timer: Timer, lap: float) -> int:
    """Find out how often a statement runs in a lap; it is warm after that."""
    count = 1
    while (seconds := timer.timeit(count)) < lap:
        # Never more than ten times at once: the first run may be the slow one.
        count *= min(10, max(2, int(lap / seconds))) if seconds else 10
    return count
