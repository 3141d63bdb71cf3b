"""What evidence costs, how soon it finds fakers, and how rarely it suspects the honest.

The routes are simulated (`whiteroute.simulators.routes`), with fixed seeds: detection figures are the
same on every machine.
"""

import time
from collections.abc import Callable, Iterator
from random import Random
from statistics import median

from whiteroute.routing import EvidenceBook, EvidenceSettings, RouteState
from whiteroute.simulators.routes import FAKERS, HOME, HONEST, GreyRoute, HonestRoute, observe

from .figure import Figure, Pace, versions

TRIALS = 100
"""Runs over each faker, fewer for a quick look: enough to tell 99 % from 95."""
MOST_FINALS = 1_500
"""After so many a faker counts as not found."""
WITHIN = 500
"""Finals in which a crude faker shall be found."""
MOST_PROOFS = 40
"""Canaries, or probes, after which a faker counts as not found."""
DAYS = 100
"""Route-days of each honest family in one run; ten runs of all are a minute."""
A_DAY = 500
"""Finals of an honest route-day."""
_NOON = 43_200.0
_CELL = ("r", HOME, "otp")


def measure(pace: Pace, say: Callable[[str], None]) -> Iterator[Figure]:
    """Measure the book."""
    trials = min(TRIALS, 7 * pace.rounds)
    yield _cost(pace)
    for faker in FAKERS:
        yield from _by_receipts(faker, trials)
    for faker in FAKERS:
        yield from _by_proof(faker, "canaries", _canary, trials)
        yield from _by_proof(faker, "probes", _probe, trials)
    yield from _honest(DAYS * trials // TRIALS)


def _figure(case: str, subject: str, value: float, unit: str, *, runs: int) -> Figure:
    return Figure(
        bench="evidence",
        case=case,
        subject=subject,
        value=value,
        unit=unit,
        runs=runs,
        versions=versions(),
    )


def _cost(pace: Pace) -> Figure:
    """CPU of one receipt, all rounds of tests included."""
    chance, route = Random(1), HONEST[1]
    seen = [route.report(chance, _NOON) for _ in range(20_000)]
    taken = []
    for _ in range(pace.rounds):
        record = EvidenceBook().record_receipt
        began = time.process_time_ns()
        for number, each in enumerate(seen):
            record(
                *_CELL,
                state=2 if each.delivered else 5,
                latency=each.latency,
                error=each.error,
                now=float(number),
            )
        taken.append((time.process_time_ns() - began) / len(seen))
    ns = median(taken)
    return Figure(
        bench="evidence",
        case="one receipt recorded",
        subject="whiteroute",
        value=ns,
        unit="ns",
        cpu_s_per_100k=ns * 1e-4,
        runs=pace.rounds,
        versions=versions(),
    )


def _by_receipts(faker: GreyRoute, trials: int) -> Iterator[Figure]:
    watched, quarantined = [], []
    for seed in range(trials):
        book, chance = EvidenceBook(), Random(seed)
        first = last = None
        for number in range(1, MOST_FINALS + 1):
            moved = observe(book, faker, chance, route_id="r", at=_NOON + 2.0 * number)
            if moved is not None and first is None:
                first = number
            if moved is RouteState.QUARANTINED:
                last = number
                break
        watched.append(first)
        quarantined.append(last)
    soon = sum(number is not None and number <= WITHIN for number in watched)
    yield _figure(
        f"found by {WITHIN} receipts", faker.name, 100 * soon / trials, "% of routes", runs=trials
    )
    yield from _typical(watched, "watched", faker.name, "receipts")
    yield from _typical(quarantined, "quarantined", faker.name, "receipts")


def _by_proof(
    faker: GreyRoute,
    unit: str,
    prove: Callable[[EvidenceBook, GreyRoute, Random, float], None],
    trials: int,
) -> Iterator[Figure]:
    needed = []
    for seed in range(trials):
        book, chance = EvidenceBook(), Random(seed)
        found = None
        for number in range(1, MOST_PROOFS + 1):
            prove(book, faker, chance, float(number))
            if book.state(*_CELL, float(number)) is RouteState.QUARANTINED:
                found = number
                break
        needed.append(found)
    share = 100 * sum(number is not None for number in needed) / trials
    yield _figure(f"found by {MOST_PROOFS} {unit}", faker.name, share, "% of routes", runs=trials)
    yield from _typical(needed, "quarantined", faker.name, unit)


def _canary(book: EvidenceBook, faker: GreyRoute, chance: Random, now: float) -> None:
    book.record_canary(*_CELL, delivered=faker.canary(chance), now=now)


def _probe(book: EvidenceBook, faker: GreyRoute, chance: Random, now: float) -> None:
    saw = faker.probe(chance)
    book.record_probe(
        *_CELL,
        received=saw["received"],
        sender_kept=saw.get("sender_kept"),
        content_kept=saw.get("content_kept"),
        now=now,
    )


def _typical(numbers: list[int | None], what: str, subject: str, unit: str) -> Iterator[Figure]:
    """The median number that was needed, if most were found."""
    found = [number for number in numbers if number is not None]
    if len(found) > len(numbers) / 2:
        yield _figure(f"{what} after", subject, median(found), unit, runs=len(numbers))


def _honest(days: int) -> Iterator[Figure]:
    finals = 0
    suspected = {RouteState.WATCH: 0, RouteState.QUARANTINED: 0}
    for seed, route in enumerate(HONEST):
        for moved in _days(route, seed, days):
            finals += 1
            if moved is not None and moved in suspected:
                suspected[moved] += 1
    for state, count in suspected.items():
        yield _figure(
            f"honest, {days * len(HONEST)} route-days: {state.value}",
            f"{len(HONEST)} families",
            count * 1e6 / finals,
            "per million finals",
            runs=1,
        )


def _days(route: HonestRoute, seed: int, days: int) -> Iterator[RouteState | None]:
    book = EvidenceBook(EvidenceSettings(latency_floors={HOME: route.floor}))
    chance = Random(seed)
    for number in range(days * A_DAY):
        yield observe(book, route, chance, route_id="r", at=number * 86_400.0 / A_DAY)
