"""What a route does decides how far it is trusted: honest ones stay, fakers are found, and how."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime

import attrs
import pytest

from whiteroute.routing import (
    EvidenceBook,
    EvidenceSettings,
    Network,
    ReasonCode,
    Route,
    RouteState,
    RouteTable,
    RoutingFactError,
    RoutingRequest,
    Severity,
    Suspicion,
    choose,
)
from whiteroute.routing.statistic import at_most, bump_z, difference_z, quantile, wilson

MOVISTAR, ORANGE = Network("214", "07"), Network("214", "03")
ROUTE = ("r", MOVISTAR, "otp")
HOUR, DAY = 3600.0, 86_400.0
S = Suspicion
ACTIVE, WATCH = RouteState.ACTIVE, RouteState.WATCH
QUARANTINED, PROBATION = RouteState.QUARANTINED, RouteState.PROBATION


@attrs.define
class Observed:
    """A book, and a clock that ticks once per record."""

    book: EvidenceBook = attrs.Factory(EvidenceBook)
    now: float = 1_000.0
    tick: float = 1.0

    def receipts(self, count: int, *, route: str = "r", **each: object) -> None:
        """Record that many, callables called for each; delivered in 3 s unless told."""
        for _ in range(count):
            self.now += self.tick
            facts: dict[str, object] = {"state": 2, "latency": 3.0} | each
            facts = {key: value() if callable(value) else value for key, value in facts.items()}
            self.book.record_receipt(route, *ROUTE[1:], now=self.now, **facts)  # type: ignore[arg-type]

    def probe(self, **saw: bool) -> None:
        self.now += self.tick
        facts = {"received": True, "sender_kept": True, "content_kept": True} | saw
        self.book.record_probe(*ROUTE, now=self.now, **facts)

    def state(self, *, after: float = 0.0) -> RouteState:
        return self.book.state(*ROUTE, self.now + after)

    def found(self) -> set[Suspicion]:
        return {finding.test for finding in self.book.findings(*ROUTE, self.now)}


def honest(seed: int, sigma: float = 0.5) -> Iterator[dict[str, object]]:
    """Log-normal latencies, one in thirty late, one in thirty failed, as networks are measured."""
    chance = random.Random(seed)
    while True:
        late = chance.random() < 0.03
        yield {
            "state": 5 if chance.random() < 0.03 else 2,
            "latency": chance.uniform(60, 900) if late else 3 * chance.lognormvariate(0, sigma),
            "error": chance.choice(["ABSENT_SUBSCRIBER", "UNKNOWN_SUBSCRIBER", "NETWORK_FAILURE"]),
        }


def observe(faker: Iterator[dict[str, object]], count: int) -> Observed:
    seen = Observed()
    for _ in range(count):
        seen.receipts(1, **next(faker))
    return seen


@pytest.mark.parametrize("seed", range(8))
def test_an_honest_route_is_never_suspected(seed: int) -> None:
    seen = observe(honest(seed), 1_500)
    assert seen.state() is ACTIVE
    assert seen.found() == set()
    assert seen.book.transitions == ()


def test_instant_receipts_are_watched_at_once_and_quarantined_when_they_last() -> None:
    seen = Observed()
    varied = random.Random(1).lognormvariate
    seen.receipts(100, latency=lambda: 0.05 * varied(0, 0.5))
    assert seen.found() == {S.RECEIPT_TOO_FAST}
    assert seen.state() is WATCH
    seen.receipts(100, latency=lambda: 0.05 * varied(0, 0.5))
    assert seen.state() is WATCH
    seen.receipts(100, latency=lambda: 0.05 * varied(0, 0.5))
    assert seen.state() is QUARANTINED
    watched, quarantined = seen.book.transitions
    assert (watched.before, watched.after) == (ACTIVE, WATCH)
    assert (quarantined.before, quarantined.after) == (WATCH, QUARANTINED)
    (finding,) = quarantined.findings
    assert (finding.severity, finding.n, finding.threshold) == (Severity.STRONG, 300, 0.2)
    assert finding.statistic == pytest.approx(1.0, abs=0.06)


def test_a_floor_of_its_own_lets_a_fast_network_be_fast() -> None:
    seen = Observed(EvidenceBook(EvidenceSettings(latency_floors={MOVISTAR: 0.01})))
    varied = random.Random(1).lognormvariate
    seen.receipts(100, latency=lambda: 0.5 * varied(0, 0.5))
    assert seen.found() == set()


def test_two_strong_findings_of_different_families_quarantine() -> None:
    seen = Observed()
    varied = random.Random(2).uniform
    seen.receipts(500, latency=lambda: 5 + varied(-0.25, 0.25), network_seen=ORANGE)
    assert {S.RECEIPT_UNIFORM, S.NETWORK_MISMATCH} <= seen.found()
    assert seen.state() is QUARANTINED


def test_two_strong_findings_of_one_family_only_watch() -> None:
    seen = Observed()
    seen.receipts(200, latency=0.1)
    assert seen.found() == {S.RECEIPT_TOO_FAST, S.RECEIPT_UNIFORM, S.RECEIPT_SPIKE}
    assert seen.state() is WATCH


def test_a_route_on_which_nothing_ever_fails_or_is_late_is_found() -> None:
    varied = random.Random(3).lognormvariate
    seen = Observed()
    seen.receipts(500, latency=lambda: 3 * varied(0, 0.5))
    assert seen.found() == {S.NO_FAILURE_TAIL}


def test_a_network_known_to_be_clean_may_be() -> None:
    varied = random.Random(3).lognormvariate
    seen = Observed(EvidenceBook(EvidenceSettings(tail_shares={MOVISTAR: 0.001})))
    seen.receipts(500, latency=lambda: 3 * varied(0, 0.5))
    assert seen.found() == set()


def test_a_blend_with_one_constant_latency_shows_a_spike() -> None:
    chance, source = random.Random(4), honest(4)
    seen = Observed()
    for _ in range(600):
        facts = next(source)
        if chance.random() < 0.6:
            facts = {"state": 2, "latency": 7.0 + chance.uniform(-0.02, 0.02)}
        seen.receipts(1, **facts)
    assert S.RECEIPT_SPIKE in seen.found()


def test_receipts_that_never_come_are_found() -> None:
    seen = observe(honest(5), 100)
    for _ in range(100):
        seen.now += 1
        seen.book.record_missing(*ROUTE, now=seen.now)
    assert seen.found() == {S.RECEIPT_MISSING}


@pytest.mark.parametrize(
    ("oddities", "tests", "state"),
    [
        ({"before_response": True}, {S.RECEIPT_BEFORE_RESP, S.ERR_MONOCULTURE}, ACTIVE),
        (
            {"before_response": True, "submit_date": "2611221200", "done_date": "2611221200"},
            {S.RECEIPT_BEFORE_RESP, S.ERR_MONOCULTURE, S.DONE_EQ_SUBMIT},
            WATCH,
        ),
    ],
)
def test_weak_findings_only_watch_and_only_three_together(
    oddities: dict[str, object], tests: set[Suspicion], state: RouteState
) -> None:
    seen, varied = Observed(), random.Random(8)
    for number in range(2_000):
        failed = number % 10 == 0
        seen.receipts(
            1,
            state="UNDELIV" if failed else "DELIVRD",
            latency=10 * varied.lognormvariate(0, 0.5),
            error="SMSC_ERROR",
            **oddities,
        )
    assert seen.found() == tests
    assert seen.state() is state


def test_carriers_known_for_their_habits_are_not_suspected_of_them() -> None:
    settings = EvidenceSettings(
        responses_may_follow=frozenset({"r"}), one_error_code=frozenset({"r"})
    )
    seen, varied = Observed(EvidenceBook(settings)), random.Random(9)
    for number in range(1_000):
        seen.receipts(
            1,
            state=5 if number % 10 == 0 else 2,
            latency=10 * varied.lognormvariate(0, 0.5),
            error="SMSC_ERROR",
            before_response=True,
        )
    assert seen.found() == set()


def test_receipts_of_one_instant_without_a_latency_count_all_the_same() -> None:
    seen = Observed(tick=0.0)
    seen.receipts(200, latency=None)
    standing = seen.book.at(seen.now).standing(*ROUTE)
    assert not standing.low_confidence
    assert standing.latency_p90 is None


def test_what_is_too_old_to_look_at_is_forgotten() -> None:
    seen = Observed(EvidenceBook(EvidenceSettings(block=50)))
    seen.receipts(120, latency=0.1)
    seen.now += 2 * DAY
    source = honest(10)
    for _ in range(80):
        seen.receipts(1, **next(source))
    track = seen.book._tracks[ROUTE]
    assert track.recent.sum(seen.now).finals == 80 + 20
    assert track.recent.sum(seen.now + 2 * DAY).finals == 0
    seen.receipts(1)
    assert track.recent.sum(seen.now).finals == 1


def test_a_route_recovers_from_watch_when_the_oddity_ends() -> None:
    seen = Observed()
    varied = random.Random(10).lognormvariate
    seen.receipts(100, latency=lambda: 0.05 * varied(0, 0.5))
    assert seen.state() is WATCH
    seen.now += 2 * DAY
    source = honest(10)
    for _ in range(100):
        seen.receipts(1, **next(source))
    assert seen.state() is ACTIVE


@pytest.mark.parametrize("state", [0, 1, 6, 7, "ENROUTE", "ACCEPTD", "UNKNOWN", "whatever", 99])
def test_receipts_that_are_not_final_say_nothing(state: int | str) -> None:
    seen = Observed()
    seen.receipts(300, state=state, latency=0.01)
    assert seen.found() == set()
    assert seen.book.dump() == EvidenceBook().dump()


def test_two_dead_numbers_that_received_are_conclusive_until_somebody_answers_for_it() -> None:
    seen = Observed()
    seen.book.record_canary(*ROUTE, delivered=False, now=1.0)
    assert seen.book.record_canary(*ROUTE, delivered=True, now=2.0) is None
    transition = seen.book.record_canary(*ROUTE, delivered=True, now=3.0)
    assert transition is not None
    assert (transition.before, transition.after) == (ACTIVE, QUARANTINED)
    assert seen.found() == {S.DEAD_NUMBER_DELIVERED}
    assert seen.state(after=365 * DAY) is QUARANTINED
    released = seen.book.release(*ROUTE, actor="ana", note="number was recycled", now=9.0)
    assert released is not None
    assert (released.actor, released.note) == ("ana", "number was recycled")
    assert seen.state() is ACTIVE
    assert seen.found() == set()
    assert seen.book.release(*ROUTE, actor="ana", note="again", now=9.0) is None


def test_a_few_recycled_numbers_among_many_are_no_lie() -> None:
    seen = Observed()
    for number in range(150):
        seen.book.record_canary(*ROUTE, delivered=number in (50, 100), now=float(number))
    assert seen.state() is ACTIVE


def test_a_release_needs_somebody_to_answer_for_it() -> None:
    with pytest.raises(RoutingFactError, match="actor"):
        EvidenceBook().release(*ROUTE, actor="", note="", now=1.0)


@pytest.mark.parametrize(
    ("saw", "suspicion"),
    [
        ({"received": False}, S.PROBE_NOT_RECEIVED),
        ({"sender_kept": False}, S.SENDER_REWRITTEN),
        ({"content_kept": False}, S.CONTENT_ALTERED),
        ({"smsc_expected": False}, S.SMSC_MISMATCH),
    ],
)
def test_three_bad_probes_in_a_row_are_conclusive(
    saw: dict[str, bool], suspicion: Suspicion
) -> None:
    seen = Observed()
    seen.probe(**saw)
    seen.probe(**saw)
    assert seen.state() is ACTIVE
    seen.probe(**saw)
    assert seen.state() is QUARANTINED
    (finding,) = seen.book.findings(*ROUTE, seen.now)
    assert finding.test is suspicion
    assert finding.statistic == pytest.approx(8.99, abs=0.01)
    assert finding.threshold == pytest.approx(6.86, abs=0.01)


def test_good_probes_are_not_saved_up_against_bad_ones() -> None:
    seen = Observed()
    for _ in range(100):
        seen.probe()
    for _ in range(4):
        seen.probe(received=False)
    assert seen.state() is QUARANTINED


def quarantine(seen: Observed) -> None:
    seen.receipts(200, latency=0.1, network_seen=ORANGE)
    assert seen.state() is QUARANTINED


def test_strong_findings_lead_through_probation_back_to_trust() -> None:
    seen = Observed()
    quarantine(seen)
    for _ in range(20):  # too early to count
        seen.probe()
    assert seen.state(after=DAY - 200) is QUARANTINED
    assert seen.state(after=DAY) is PROBATION
    seen.now += DAY
    for _ in range(14):
        seen.probe()
    assert seen.state() is PROBATION
    seen.probe()
    assert seen.state() is ACTIVE
    assert seen.found() == set()


def test_one_bad_probe_begins_the_probation_anew() -> None:
    seen = Observed()
    quarantine(seen)
    seen.now += DAY
    for _ in range(14):
        seen.probe()
    seen.probe(sender_kept=False)
    for _ in range(14):
        seen.probe()
    assert seen.state() is PROBATION


def test_bad_probes_in_probation_are_conclusive() -> None:
    seen = Observed()
    quarantine(seen)
    seen.now += DAY
    for _ in range(3):
        seen.probe(received=False)
    assert seen.state(after=30 * DAY) is QUARANTINED


def test_each_relapse_doubles_the_quarantine_up_to_a_week() -> None:
    seen, lengths = Observed(), []
    for _ in range(5):
        quarantine(seen)
        began = seen.book.transitions[-1].at
        days = next(
            day for day in range(1, 9) if seen.book.state(*ROUTE, began + day * DAY) is PROBATION
        )
        lengths.append(days)
        seen.now = began + days * DAY
        for _ in range(15):
            seen.probe()
        assert seen.state() is ACTIVE
    assert lengths == [1, 2, 4, 7, 7]


def test_receipts_of_the_last_messages_do_not_move_a_quarantined_route() -> None:
    seen = Observed()
    quarantine(seen)
    before = seen.book.transitions
    seen.receipts(400, latency=0.1)
    assert seen.book.transitions == before


def test_a_conclusive_finding_holds_a_route_already_in_quarantine() -> None:
    seen = Observed()
    quarantine(seen)
    for _ in range(3):
        seen.probe(received=False)
    assert seen.state(after=30 * DAY) is QUARANTINED


def test_conversions_far_below_those_of_other_routes_are_found() -> None:
    seen, chance = Observed(), random.Random(11)
    for _ in range(500):
        for route, share in (("r", 0.35), ("a", 0.6), ("b", 0.6)):
            seen.now += 1
            seen.book.record_conversion(
                route, MOVISTAR, "otp", converted=chance.random() < share, now=seen.now
            )
    assert seen.found() == {S.CONVERSION_DROP}
    assert seen.book.findings("a", MOVISTAR, "otp", seen.now) == ()


@pytest.mark.parametrize(("share", "pause"), [(0.6, 0.0), (0.52, 0.0), (0.1, 100 * DAY)])
def test_conversions_like_those_of_others_or_too_old_to_compare_are_not(
    share: float, pause: float
) -> None:
    seen, chance = Observed(), random.Random(12)
    for number in range(2_000):
        route, rate = ("a", 0.6) if number < 1_000 else ("r", share)
        seen.now += pause if number == 1_000 else 1
        seen.book.record_conversion(
            route, MOVISTAR, "otp", converted=chance.random() < rate, now=seen.now
        )
    assert seen.found() == set()


def wait_for_replies(seen: Observed, route: str, count: int, share: float) -> None:
    chance = random.Random(14)
    for _ in range(count):
        seen.now += 1
        replied = chance.random() < share
        seen.book.record_reply(route, MOVISTAR, "otp", replied=replied, now=seen.now)


@pytest.mark.parametrize(
    ("own", "others", "elsewhere", "odd"),
    [
        (0.0, 1_000, 0.05, True),
        (0.02, 1_000, 0.05, False),
        (0.0, 1_000, 0.001, False),
        (0.0, 40, 0.5, False),
    ],
)
def test_silence_is_odd_only_where_people_reply_on_other_routes(
    own: float, others: int, elsewhere: float, odd: bool
) -> None:
    seen = Observed()
    wait_for_replies(seen, "a", others, elsewhere)
    wait_for_replies(seen, "r", 500, own)
    assert (S.REPLY_PATH_DEAD in seen.found()) is odd
    assert seen.state() is ACTIVE


@pytest.mark.parametrize(
    ("share", "pause", "odd"), [(0.999, 0.0, True), (0.93, 0.0, False), (0.999, 9 * DAY, False)]
)
def test_delivery_that_no_other_route_can_show_is_odd(
    share: float, pause: float, odd: bool
) -> None:
    chance = random.Random(13)
    seen = Observed()

    def deliver(route: str, rate: float) -> None:
        seen.receipts(
            1,
            route=route,
            state=2 if chance.random() < rate else 5,
            latency=70.0 if chance.random() < 0.05 else 3 * chance.lognormvariate(0, 0.5),
            error=chance.choice(["NETWORK_FAILURE", "CONGESTION"]),
        )

    for _ in range(1_600):
        deliver("a", 0.93)
    seen.now += pause
    for _ in range(1_600):
        deliver("r", share)
    assert (S.TOO_GOOD_VS_COHORT in seen.found()) is odd


def test_a_network_with_few_messages_is_watched_when_its_country_is_odd() -> None:
    seen = Observed()
    seen.receipts(100, latency=0.1)
    assert seen.book.state("r", ORANGE, "otp", seen.now) is WATCH
    assert seen.book.state("r", Network("262", "01"), "otp", seen.now) is ACTIVE
    assert seen.book.state("other", ORANGE, "otp", seen.now) is ACTIVE
    (finding,) = seen.book.findings("r", ORANGE, "otp", seen.now)
    assert finding.test is S.RECEIPT_TOO_FAST
    assert seen.book.findings("other", ORANGE, "otp", seen.now) == ()
    assert seen.book.at(seen.now).standing("r", ORANGE, "otp").state is WATCH


def test_a_network_with_evidence_of_its_own_is_not_judged_by_its_country() -> None:
    seen, source = Observed(), honest(14)
    seen.receipts(100, latency=0.1)
    for _ in range(100):
        seen.now += 1
        facts = next(source)
        seen.book.record_receipt("r", ORANGE, "otp", now=seen.now, **facts)  # type: ignore[arg-type]
    assert seen.book.state("r", ORANGE, "otp", seen.now) is ACTIVE


def test_a_book_as_of_an_instant_does_not_move_with_it() -> None:
    seen = Observed()
    as_of = seen.book.at(2_000.0)
    before = as_of.standing(*ROUTE)
    seen.receipts(300)
    assert as_of.standing(*ROUTE) is before
    assert seen.book.at(2_000.0).standing(*ROUTE) != before


def test_an_unknown_route_stands_on_a_prior() -> None:
    standing = EvidenceBook().at(1.0).standing(*ROUTE)
    assert standing.low_confidence
    assert standing.delivered_low == pytest.approx(0.60, abs=0.01)
    assert standing.delivered_high == pytest.approx(0.98, abs=0.01)
    assert standing.latency_p90 is None


def test_failures_of_recipients_say_nothing_about_the_route() -> None:
    seen = Observed()
    for number in range(200):
        seen.receipts(1, state=2 if number % 2 else 5, error="ABSENT_SUBSCRIBER", latency=3.0)
    standing = seen.book.at(seen.now).standing(*ROUTE)
    assert not standing.low_confidence
    assert standing.delivered_high == 1.0
    assert standing.latency_p90 == 3.0


def test_old_evidence_fades_to_a_prior() -> None:
    seen = observe(honest(15), 200)
    assert not seen.book.at(seen.now).standing(*ROUTE).low_confidence
    assert seen.book.at(seen.now + 24 * HOUR).standing(*ROUTE).low_confidence


def test_choosing_leaves_out_a_route_that_the_book_quarantines(
    make_route: Callable[..., Route], make_request: Callable[..., RoutingRequest], now: datetime
) -> None:
    book = EvidenceBook()
    for at in (1.0, 2.0):
        book.record_canary("grey", MOVISTAR, "otp", delivered=True, now=at)
    table = RouteTable([make_route(id="grey"), make_route(id="good")])
    decision = choose(make_request(), table, now=now, evidence=book.at(3.0))
    assert decision.require().id == "good"
    assert [each.codes for each in decision.rejected] == [(ReasonCode.QUARANTINED,)]


def busy_book() -> Observed:
    seen = observe(honest(16), 250)
    quarantine(seen)
    seen.probe(sender_kept=False)
    seen.book.record_canary(*ROUTE, delivered=True, now=seen.now)
    seen.book.record_conversion(*ROUTE, converted=True, now=seen.now)
    return seen


def test_a_book_survives_a_restart_and_goes_on_as_if_there_was_none() -> None:
    seen = busy_book()
    again = EvidenceBook.load(seen.book.dump())
    assert again.dump() == seen.book.dump()
    assert again.transitions == seen.book.transitions
    assert again.findings(*ROUTE, seen.now) == seen.book.findings(*ROUTE, seen.now)
    for book in (seen.book, again):
        book.record_canary(*ROUTE, delivered=True, now=seen.now)
    assert again.dump() == seen.book.dump()


def test_a_book_moves_to_a_clock_that_began_anew() -> None:
    seen = busy_book()
    moved = EvidenceBook.load(seen.book.dump(), clock_shift=-seen.now)
    assert moved.state(*ROUTE, DAY - 200) is seen.state(after=DAY - 200)
    assert moved.state(*ROUTE, DAY) is seen.state(after=DAY) is PROBATION
    assert moved.at(0.0).standing(*ROUTE).delivered_low == pytest.approx(
        seen.book.at(seen.now).standing(*ROUTE).delivered_low
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"version":2}',
        b'{"version":1,"tracks":[{}],"transitions":[]}',
        b'{"version":1,"tracks":[],"transitions":[{"network":"x-y"}]}',
    ],
)
def test_what_is_no_book_is_refused(octets: bytes) -> None:
    with pytest.raises(RoutingFactError):
        EvidenceBook.load(octets)


def test_bounds_of_a_share_are_as_wide_as_the_field_says() -> None:
    # Widths of 90 % delivered, as simulated independently.
    assert wilson(18, 20, 1.96) == (pytest.approx(0.70, abs=0.01), pytest.approx(0.97, abs=0.01))
    assert wilson(460, 500, 1.96)[0] == pytest.approx(0.89, abs=0.01)
    assert wilson(0, 0, 1.96) == (0.0, 1.0)


def test_tails_quantiles_and_densities_of_small_samples_are_exact() -> None:
    assert at_most(1, 5, 0.01) == pytest.approx(1 - 0.00098, abs=1e-5)
    assert at_most(5, 5, 0.01) == pytest.approx(1.0)
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert quantile([1.0], 1.0) == 1.0
    assert difference_z(10, 10, 20, 20) == 0.0
    assert difference_z(252, 420, 176, 420) == pytest.approx(5.25, abs=0.05)


def test_a_heap_of_equal_values_stands_out_of_a_smooth_slope() -> None:
    slope = [k / 100 for k in range(1_000)]
    assert bump_z(slope, 0.5) < 4
    assert bump_z(sorted([*slope, *[5.0] * 100]), 0.5) == pytest.approx(100 / 175**0.5, rel=0.1)
    # Far out, single values are all there is.
    assert bump_z(sorted([*slope, *[10.0 * k for k in range(1, 40)]]), 0.5) < 4


def test_latencies_of_nothing_are_no_spike() -> None:
    seen = Observed()
    seen.receipts(300, latency=0.0)
    assert S.RECEIPT_SPIKE not in seen.found()


@pytest.mark.parametrize("suspicion", list(Suspicion))
def test_every_suspicion_explains_itself_in_one_sentence(suspicion: Suspicion) -> None:
    assert Suspicion(suspicion.value) is suspicion
    assert suspicion.value == suspicion.name
    assert suspicion.meaning.endswith(".")
