"""The pace that a carrier bears is found, kept just below its limit, and found again when it moves."""

from collections import deque
from itertools import pairwise
from math import inf
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.session import Pace
from whiteroute.engine.upkeep import Ceiling, CeilingChange

ROUND_TRIP = 0.05
LATENESS = 0.001
"""How long we sleep at least."""


@attrs.define
class CountedSeconds:
    """Counts in seconds from the first message on; what is too much in one is refused."""

    limit: float
    since: float = -inf
    count: int = 0

    def takes(self, now: float) -> bool:
        if now - self.since >= 1.0:
            self.since, self.count = now, 0
        self.count += 1
        return self.count <= self.limit


@attrs.define
class TokenBucket:
    """Holds a second's worth of tokens, and gains them steadily."""

    limit: float
    tokens: float = 1.0
    at: float = 0.0

    def takes(self, now: float) -> bool:
        self.tokens = min(self.limit, self.tokens + (now - self.at) * self.limit)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@attrs.define(eq=False)
class Traffic:
    """Sends as fast as the ceiling lets it, and pauses a second when it is refused."""

    ceiling: Ceiling
    center: Any
    now: float = 0.0
    accepted: int = 0
    refused: int = 0
    paces: list[tuple[float, float | None]] = attrs.field(factory=list)
    """When the pace was changed, and to what."""
    news: list[tuple[float, CeilingChange]] = attrs.field(factory=list)

    def run(self, seconds: float, *, demand: float = inf, window: int = 500) -> "Traffic":
        """Go on for so long; the figures are of this stretch alone."""
        self.accepted = self.refused = 0
        self.paces = [(0.0, self.ceiling.tps)]
        begun = self.now
        ceiling, own = self.ceiling, Pace(None if demand == inf else demand)
        pace, paused_until = Pace(ceiling.tps), -inf
        flying: deque[tuple[float, bool]] = deque()
        until = self.now + seconds
        while self.now < until:
            now = self.now
            accepted, answers, refused = 0, 0, list[float]()
            while flying and flying[0][0] + ROUND_TRIP <= now:
                sent_at, is_taken = flying.popleft()
                accepted += is_taken
                answers += 1
                if not is_taken:
                    refused.append(sent_at)
                if not flying or flying[0][0] + ROUND_TRIP > now:
                    ceiling.answered(accepted, answers, now - sent_at, sent_at, now)
            for sent_at in refused:
                if ceiling.throttled(sent_at, now, "ESME_RTHROTTLED"):
                    paused_until = now + 1.0
            self.accepted += accepted
            self.refused += len(refused)
            if (change := ceiling.take_news(now)) is not None:
                self.news.append((now, change))
            if ceiling.tps != pace.rate:
                pace.change(ceiling.tps, now)
                self.paces.append((now - begun, ceiling.tps))
            room = window - len(flying) if now >= paused_until else 0
            limits = (pace.allowed(now), own.allowed(now))
            parts = min([room, *(limit for limit in limits if limit is not None)])
            if parts > 0:
                pace.spend(parts, now)
                own.spend(parts, now)
                flying.extend((now, self.center.takes(now)) for _ in range(parts))
            next_at = max(pace.next_at(now), own.next_at(now), paused_until)
            if flying and (len(flying) >= window or flying[0][0] + ROUND_TRIP < next_at):
                next_at = flying[0][0] + ROUND_TRIP
            self.now = max(now + LATENESS, next_at)
        return self

    def reaches(self, tps: float) -> float:
        """Seconds of this stretch until the pace was first so high."""
        return next((at for at, pace in self.paces if pace is not None and pace >= tps), inf)


CONTRACTS = [25.0, 100.0, 1000.0, None]
CENTERS = [CountedSeconds, TokenBucket]


# Learning against a limit that nobody told us.


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("center", CENTERS)
def test_the_pace_comes_to_rest_just_below_a_hidden_limit(
    contract: float | None, center: type[Any]
) -> None:
    ceiling = Ceiling(carrier="acme", contract=contract)
    traffic = Traffic(ceiling, center(20.0))
    # Without a contract everything that the window holds is sent before the first answer comes.
    first = traffic.run(60.0)
    assert first.refused <= (1_100 if contract is None else 110)

    steady = traffic.run(600.0)

    # Measured: 17 to 19.8 of the 20, and about one refusal in 70 s.
    assert steady.accepted >= 0.83 * 20 * 600
    assert steady.refused <= 600 / 30
    assert all(0.65 * 20 <= pace <= 1.25 * 20 for _, pace in steady.paces if pace is not None)
    assert ceiling.believed == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("contract", CONTRACTS[:3])
@pytest.mark.parametrize("center", CENTERS)
def test_a_limit_that_is_raised_is_found_out(contract: float, center: type[Any]) -> None:
    traffic = Traffic(Ceiling(carrier="acme", contract=contract), center(20.0))
    traffic.run(1_200.0)
    traffic.center.limit = 100.0

    traffic.run(600.0)

    raised = min(100.0, contract)
    assert traffic.reaches(0.95 * raised) <= 420
    assert traffic.refused <= 10


def test_a_limit_that_falls_is_found_out_within_seconds() -> None:
    traffic = Traffic(Ceiling(carrier="acme", contract=100.0), CountedSeconds(100.0))
    assert 0 == traffic.run(60.0).refused
    traffic.center.limit = 10.0

    traffic.run(10.0)

    assert min(pace for _, pace in traffic.paces if pace is not None) <= 10.0
    assert traffic.refused <= 50
    assert traffic.run(300.0).refused <= 20


def test_a_contract_that_is_kept_is_never_left() -> None:
    traffic = Traffic(Ceiling(carrier="acme", contract=50.0), CountedSeconds(50.0))

    traffic.run(600.0)

    assert (0, [(0.0, 50.0)], []) == (traffic.refused, traffic.paces, traffic.news)
    assert traffic.accepted == pytest.approx(600 * 50, rel=0.01)
    assert traffic.ceiling.believed is None


def test_without_a_contract_the_first_complaint_makes_a_ceiling_of_what_was_taken() -> None:
    ceiling = Ceiling(carrier="acme", contract=None)
    traffic = Traffic(ceiling, CountedSeconds(40.0))
    assert (None, None) == (ceiling.tps, ceiling.believed)

    traffic.run(3.0)

    assert ceiling.tps is not None
    assert 0.6 * 40 <= ceiling.tps <= 40
    (told,) = traffic.news
    assert ("acme", "lowered", None) == (told[1].carrier, told[1].what, told[1].contract)


def test_what_is_not_used_is_not_probed() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0, learned=20.0)
    traffic = Traffic(ceiling, CountedSeconds(20.0))

    traffic.run(600.0, demand=5.0)

    assert (20.0, 0) == (ceiling.tps, traffic.refused)


def test_a_complaint_at_little_traffic_takes_half_at_most() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    ceiling.answered(1, 1, 0.1, 0.0, 0.1)

    ceiling.throttled(0.2, 0.3, "ESME_RMSGQFUL")

    assert 0.7 * 50 == pytest.approx(ceiling.tps)
    assert 0.95 * 50 == pytest.approx(ceiling.believed)


# One complaint counts once.


def test_a_burst_of_refusals_is_one_complaint() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    ceiling.answered(100, 100, 0.1, 0.0, 1.0)
    for part in range(50):
        heard = ceiling.throttled(0.9 + part / 1_000, 1.0 + part / 1_000, "ESME_RTHROTTLED")
        assert heard is (part == 0)
    assert 70 == pytest.approx(ceiling.tps)
    # Sent after it and refused in the same second: another pause, but not another step down.
    assert ceiling.throttled(1.2, 1.3, "ESME_RTHROTTLED")
    assert 70 == pytest.approx(ceiling.tps)

    assert ceiling.throttled(2.2, 2.3, "ESME_RTHROTTLED")
    assert 70 > (ceiling.tps or inf)


def test_who_does_not_learn_only_tells_when_to_pause() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0, learned=10.0, learns=False)
    ceiling.answered(10, 10, 9.0, 0.0, 9.0)

    assert ceiling.throttled(9.1, 9.2, "ESME_RTHROTTLED")
    assert not ceiling.throttled(9.15, 9.3, "ESME_RTHROTTLED")
    assert (100.0, None, None) == (ceiling.tps, ceiling.believed, ceiling.take_news(99.0))


def test_nothing_is_lowered_below_the_floor() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    for second in range(100):
        ceiling.throttled(2.0 * second, 2.0 * second + 0.1, "ESME_RTHROTTLED")
    assert 1.0 == ceiling.tps

    tiny = Ceiling(carrier="acme", contract=0.25)
    tiny.throttled(0.0, 0.1, "ESME_RTHROTTLED")
    assert 0.25 == tiny.tps


# congestion_state.


@pytest.mark.parametrize(
    ("state", "tps"),
    [
        (0, 100),
        (79, 100),
        (80, 100),
        (89, 100),
        (90, 85),
        (99, 85),
        (100, 70),
        (101, 100),
        (255, 100),
    ],
)
def test_congestion_makes_it_give_way_by_degrees(state: int, tps: float) -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    ceiling.answered(100, 100, 0.1, 0.5, 1.0)

    ceiling.congested(state, 0.9, 1.0)
    ceiling.congested(state, 0.95, 1.05)

    assert tps == pytest.approx(ceiling.tps)


def test_at_the_optimum_load_the_pace_stays_where_it_is() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    ceiling.answered(100, 100, 0.1, 0.5, 1.0)
    ceiling.congested(95, 0.9, 1.0)
    for tenth in range(50):
        now = 1.1 + tenth / 10
        ceiling.congested(85, now - 0.1, now)
        ceiling.answered(8, 8, 0.1, now - 0.1, now)
    assert 85 == pytest.approx(ceiling.tps)

    for tenth in range(50):
        ceiling.answered(8, 8, 0.1, 6.0 + tenth / 10, 6.1 + tenth / 10)
    assert (ceiling.tps or 0) > 90


# Response time.


def answer(ceiling: Ceiling, begin: float, response_times: list[float]) -> None:
    """Answer a part each 0.3 s."""
    for place, response_time in enumerate(response_times):
        now = begin + 0.3 * place
        ceiling.answered(3, 3, response_time, now - response_time, now)


def test_one_slow_answer_among_others_means_nothing() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)

    answer(ceiling, 100.0, [0.05, 0.05, 9.0, 0.05, 0.05, 30.0] * 10)

    assert 100.0 == ceiling.tps


def test_a_hiccup_means_nothing() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    answer(ceiling, 100.0, [0.05] * 20)
    for _ in range(50):
        ceiling.answered(1, 1, 6.0, 104.0, 110.0)
    answer(ceiling, 110.3, [0.05] * 20)

    assert 100.0 == ceiling.tps


def test_responses_that_all_became_slow_make_it_give_way() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0)
    answer(ceiling, 100.0, [0.05] * 20)

    answer(ceiling, 110.0, [1.5] * 5)

    assert (ceiling.tps or inf) < 100.0
    change = ceiling.take_news(112.0)
    assert change is not None
    assert "responses take 1.5 s" == change.cause


def test_a_carrier_that_was_always_slow_is_only_slow_beyond_the_bound() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0, slow_response=5.0)
    answer(ceiling, 100.0, [3.0] * 50)
    assert 100.0 == ceiling.tps

    answer(ceiling, 200.0, [6.0] * 6)

    assert (ceiling.tps or inf) < 100.0


def test_a_slowness_that_a_lower_pace_does_not_cure_is_borne() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0, slow_response=5.0)
    answer(ceiling, 100.0, [6.0, 6.4, 6.2] * 100)
    lowered = ceiling.tps or inf
    assert lowered < 100.0
    answer(ceiling, 300.0, [6.0, 6.4, 6.2] * 100)
    assert lowered <= (ceiling.tps or 0)

    answer(ceiling, 500.0, [12.0] * 6)

    assert (ceiling.tps or inf) < lowered


def test_slowness_that_is_getting_better_is_helped_on() -> None:
    ceiling = Ceiling(carrier="acme", contract=100.0, slow_response=5.0)
    answer(ceiling, 100.0, [20.0] * 6)
    once = ceiling.tps or inf
    answer(ceiling, 130.0, [10.0] * 6)
    twice = ceiling.tps or inf
    answer(ceiling, 160.0, [0.1] * 20)

    assert once < 100.0
    assert twice < once
    assert (ceiling.tps or 0) > twice


# From one day to the next.


def test_what_was_learned_survives_a_restart() -> None:
    before = Traffic(Ceiling(carrier="acme", contract=100.0), CountedSeconds(20.0))
    before.run(300.0)
    ceiling = Ceiling(carrier="acme", contract=100.0, learned=before.ceiling.believed)

    after = Traffic(ceiling, CountedSeconds(20.0)).run(60.0)

    assert after.refused <= 4
    assert after.accepted >= 0.85 * 20 * 60


def test_what_was_learned_beyond_the_contract_is_forgotten() -> None:
    ceiling = Ceiling(carrier="acme", contract=50.0, learned=80.0)

    assert (50.0, None) == (ceiling.tps, ceiling.believed)


def test_a_contract_may_change_while_it_learns() -> None:
    ceiling = Ceiling(carrier="acme", contract=50.0)
    ceiling.change_contract(80.0)
    assert (80.0, None) == (ceiling.tps, ceiling.believed)
    ceiling.answered(80, 80, 0.1, 0.5, 1.0)
    ceiling.throttled(0.9, 1.0, "ESME_RTHROTTLED")
    ceiling.change_contract(200.0)
    assert (pytest.approx(56.0), pytest.approx(76.0)) == (ceiling.tps, ceiling.believed)
    ceiling.change_contract(40.0)
    assert (40.0, 40.0) == (ceiling.tps, ceiling.believed)
    ceiling.change_contract(None)
    assert (None, None) == (ceiling.tps, ceiling.believed)
    ceiling.throttled(9.0, 9.1, "ESME_RTHROTTLED")
    ceiling.change_contract(None)
    assert 1.0 == ceiling.tps


# News.


def test_news_are_few_and_tell_where_it_stands() -> None:
    traffic = Traffic(Ceiling(carrier="acme", contract=100.0), CountedSeconds(20.0))
    traffic.run(1_800.0)
    assert 1 <= len(traffic.news) <= 3
    assert {"ESME_RTHROTTLED"} == {change.cause for _, change in traffic.news}
    assert {"lowered"} == {change.what for _, change in traffic.news}
    assert traffic.news[-1][1].tps == pytest.approx(20, rel=0.15)
    traffic.news.clear()
    traffic.center.limit = 1_000.0

    traffic.run(900.0)

    times = [at for at, _ in traffic.news]
    assert all(later - at >= 60 for at, later in pairwise(times))
    assert {"raised"} == {change.what for _, change in traffic.news}
    last = traffic.news[-1][1]
    assert (100.0, 100.0, "no complaint") == (last.tps, last.contract, last.cause)
    traffic.news.clear()
    assert [] == traffic.run(300.0).news


def test_a_ceiling_says_how_it_is_in_a_line() -> None:
    assert "<Ceiling acme 5.0 of 5.0 parts per second>" == repr(
        Ceiling(carrier="acme", contract=5.0)
    )


# Whatever comes.

HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["answered", "throttled", "congested"]),
        st.floats(0.0, 90.0),
        st.floats(0.0, 70.0),
        st.integers(0, 255),
    ),
    max_size=150,
)


def live(ceiling: Ceiling, happenings: list[tuple[str, float, float, int]]) -> list[float | None]:
    """Let these happen one after another; give the pace after each."""
    now, paces = 0.0, []
    for what, later, response_time, number in happenings:
        now += later
        if what == "answered":
            ceiling.answered(number // 2, number, response_time, now - response_time, now)
        elif what == "throttled":
            ceiling.throttled(now - response_time, now, "ESME_RTHROTTLED")
        else:
            ceiling.congested(number, now - response_time, now)
        ceiling.take_news(now)
        paces.append(ceiling.tps)
    return paces


@given(
    happenings=HAPPENINGS,
    contract=st.none() | st.floats(0.01, 5_000),
    learned=st.none() | st.floats(0.01, 5_000),
)
def test_a_pace_is_always_positive_within_the_contract_and_the_same_for_the_same(
    happenings: list[tuple[str, float, float, int]],
    contract: float | None,
    learned: float | None,
) -> None:
    paces = live(Ceiling(carrier="acme", contract=contract, learned=learned), happenings)

    most = inf if contract is None else contract
    assert all(
        contract is None if pace is None else min(1.0, most) <= pace <= most for pace in paces
    )
    again = live(Ceiling(carrier="acme", contract=contract, learned=learned), happenings)
    assert again == paces
