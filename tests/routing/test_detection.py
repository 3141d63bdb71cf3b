"""How soon the evidence book finds each kind of faker, and that it leaves the honest alone.

Measured over simulated routes (`whiteroute.simulators.routes`) with fixed seeds; `whiteroute bench
evidence` prints the same over more of them.
"""

from random import Random

import attrs
import pytest

from whiteroute.routing import EvidenceBook, EvidenceSettings, RouteState, Suspicion
from whiteroute.simulators.routes import FAKERS, HOME, HONEST, GreyRoute, HonestRoute, observe

DAY = 86_400.0
TRIALS = 20
CELL = ("r", HOME, "otp")
FAKER = {faker.name: faker for faker in FAKERS}


def learned(route: HonestRoute) -> EvidenceBook:
    """A book that knows how fast this network can be, as probes would have shown."""
    return EvidenceBook(EvidenceSettings(latency_floors={HOME: route.floor}))


def finals_until(state: RouteState, faker: GreyRoute, seed: int, most: int = 1_000) -> int | None:
    """After how many finals a faker's route is first in that state."""
    book, chance = EvidenceBook(), Random(seed)
    for number in range(1, most + 1):
        moved = observe(book, faker, chance, route_id="r", at=DAY / 2 + 2.0 * number)
        if moved is state:
            return number
    return None


@pytest.mark.parametrize(
    ("name", "watched", "quarantined"),
    [
        ("instant", 100, 300),
        ("constant latency", 300, 500),
        ("uniform latency", 500, 700),
        ("no failures", 500, 700),
        ("30 % blend, instant", 500, 700),
        ("wrong network", 100, 400),
    ],
)
def test_receipts_alone_give_crude_fakers_away(name: str, watched: int, quarantined: int) -> None:
    for seed in range(TRIALS):
        first = finals_until(RouteState.WATCH, FAKER[name], seed)
        assert first is not None
        assert first <= watched
        last = finals_until(RouteState.QUARANTINED, FAKER[name], seed)
        assert last is not None
        assert last <= quarantined


def test_a_constant_blended_into_honest_traffic_is_seen_but_convicts_nobody_alone() -> None:
    for seed in range(TRIALS):
        book, chance = EvidenceBook(), Random(seed)
        for number in range(500):
            observe(
                book, FAKER["30 % blend, constant"], chance, route_id="r", at=DAY / 2 + 2.0 * number
            )
        assert [each.test for each in book.findings(*CELL, DAY)] == [Suspicion.RECEIPT_SPIKE]
        assert book.state(*CELL, DAY) is RouteState.ACTIVE


@pytest.mark.parametrize("name", ["careful", "dead-number confirmer", "sender rewriting"])
def test_receipts_alone_do_not_give_a_careful_faker_away(name: str) -> None:
    # Said openly: without canaries, probes or conversions these are invisible.
    assert all(finals_until(RouteState.WATCH, FAKER[name], seed) is None for seed in range(TRIALS))


@pytest.mark.parametrize("name", ["careful", "dead-number confirmer", "constant latency"])
def test_twenty_canaries_give_every_faker_of_all_traffic_away(name: str) -> None:
    for seed in range(TRIALS):
        book, chance = EvidenceBook(), Random(seed)
        for number in range(20):
            book.record_canary(*CELL, delivered=FAKER[name].canary(chance), now=float(number))
        assert book.state(*CELL, 20.0) is RouteState.QUARANTINED


@pytest.mark.parametrize("name", ["careful", "sender rewriting", "30 % blend, constant"])
def test_a_few_probes_give_every_faker_away(name: str) -> None:
    for seed in range(TRIALS):
        book, chance = EvidenceBook(), Random(seed)
        for number in range(60):
            book.record_probe(*CELL, **FAKER[name].probe(chance), now=float(number))  # type: ignore[arg-type]
        assert book.state(*CELL, 60.0) is RouteState.QUARANTINED


def test_codes_that_nobody_enters_put_a_careful_faker_on_watch() -> None:
    book, chance = EvidenceBook(), Random(1)
    for number in range(500):
        for route_id, share in (("r", FAKER["careful"].converted), ("a", 0.6), ("b", 0.6)):
            book.record_conversion(
                route_id, HOME, "otp", converted=chance.random() < share, now=float(number)
            )
    assert book.state(*CELL, 500.0) is RouteState.WATCH


@pytest.mark.parametrize("route", HONEST, ids=lambda route: route.name)
def test_honest_routes_keep_their_trust_for_weeks(route: HonestRoute) -> None:
    book, chance = learned(route), Random(7)
    for number in range(14 * 1_000):
        observe(book, route, chance, route_id="r", at=number * DAY / 1_000)
        if number % 50 == 0:
            book.record_canary(*CELL, delivered=route.canary(chance), now=number * DAY / 1_000)
        if number % 50 == 1:
            book.record_probe(*CELL, **route.probe(chance), now=number * DAY / 1_000)  # type: ignore[arg-type]
    assert book.transitions == ()


def test_a_clock_that_jumps_and_an_outage_of_ours_accuse_nobody() -> None:
    # What waited for our own bind is left out by the engine; what remains is a gap, or a jump ahead.
    route, chance = HONEST[1], Random(8)
    book, now = learned(route), 0.0
    for number in range(5_000):
        now += 86.4 if number % 500 else 6 * 3600.0
        observe(book, route, chance, route_id="r", at=now)
        if number % 700 == 0:
            now -= 1_800.0
    assert book.transitions == ()


def test_a_network_that_is_fast_is_only_honest_to_a_book_that_knows_it() -> None:
    route = HONEST[-1]
    assert route.floor < 1.0
    unaware = EvidenceBook()
    chance = Random(9)
    for number in range(500):
        observe(unaware, route, chance, route_id="r", at=2.0 * number)
    assert unaware.state(*CELL, 1_000.0) is not RouteState.ACTIVE


def test_a_faker_of_failures_only_is_no_faker_of_receipts() -> None:
    silent = attrs.evolve(FAKER["instant"], faked=0.0)
    assert finals_until(RouteState.WATCH, silent, 3, most=500) is None
