"""Parts leave one by one at the rate asked for, and no second holds more than it."""

from bisect import bisect_left
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.session import Pace

RATES = st.one_of(st.floats(0.05, 3.0), st.floats(3.0, 2_000.0), st.integers(1, 1_000))


def most_within(sent: list[float], width: float) -> int:
    """Count the parts of the fullest stretch of time, its end not included."""
    return max(
        (
            bisect_left(sent, width, key=lambda at: at - first) - place
            for place, first in enumerate(sent)
        ),
        default=0,
    )


def send_all(pace: Pace, until: float, step: float) -> list[float]:
    """Send whatever is allowed at every step; give the instants of the parts."""
    sent: list[float] = []
    for at in range(int(until / step)):
        now = at * step
        parts = pace.allowed(now)
        assert parts is not None
        if parts:
            pace.spend(parts, now)
            sent += [now] * parts
    return sent


@pytest.mark.parametrize("rate", [0.5, 1, 2.5, 7, 30, 100, 1000])
@pytest.mark.parametrize("step", [0.001, 0.01, 0.025])
def test_a_pace_is_kept_over_time_and_in_every_second(rate: float, step: float) -> None:
    sent = send_all(Pace(rate), 20.0, step)

    assert 20 * rate * 0.99 - 2 <= len(sent) <= 20 * rate + 1
    assert most_within(sent, 1.0) <= ceil(rate)


@given(
    rate=RATES,
    visits=st.lists(
        st.tuples(
            st.one_of(st.floats(0, 0.002), st.floats(0, 0.2), st.floats(0, 5.0)),
            st.integers(1, 500),
        ),
        max_size=200,
    ),
)
def test_no_second_holds_more_than_the_rate_whenever_parts_come(
    rate: float, visits: list[tuple[float, int]]
) -> None:
    pace = Pace(rate)
    now = 1_000.0
    sent: list[float] = []
    for delay, waiting in visits:
        now += delay
        parts = min(pace.allowed(now) or 0, waiting)
        pace.spend(parts, now)
        sent += [now] * parts

    assert most_within(sent, max(1.0, 1 / rate)) <= ceil(rate * max(1.0, 1 / rate) - 1e-9)


@given(rate=RATES, lateness=st.floats(0, 0.04), parts=st.integers(1, 300))
def test_who_comes_when_told_may_always_go(rate: float, lateness: float, parts: int) -> None:
    pace = Pace(rate)
    now = 7.0
    for _ in range(parts):
        now = pace.next_at(now)
        assert pace.next_at(now) == now
        assert (pace.allowed(now + lateness) or 0) >= 1
        now += lateness
        pace.spend(1, now)


def test_who_had_nothing_to_send_gets_nothing_extra() -> None:
    pace = Pace(100)
    pace.spend(1, 0.0)

    assert 1 == pace.allowed(10.0)


def test_who_was_woken_late_makes_up_for_it() -> None:
    pace = Pace(1000)
    pace.spend(1, 0.0)

    assert 1 + 30 == pace.allowed(0.0311)


def test_without_a_rate_nothing_limits() -> None:
    pace = Pace(None)
    pace.spend(1000, 5.0)

    assert (None, None, 5.0) == (pace.rate, pace.allowed(5.0), pace.next_at(5.0))
    assert pace.brings(1.0, 5.0) is None


def test_a_pace_says_what_it_will_bring() -> None:
    pace = Pace(10)
    assert (1, 3) == (pace.brings(0.0, 7.0), pace.brings(0.25, 7.0))
    pace.spend(1, 7.0)

    assert [0, 0, 1, 2] == [pace.brings(within, 7.0) for within in (0.0, 0.09, 0.1, 0.2)]
    assert 1 == pace.brings(0.0, 99.0)


def test_a_pace_says_when_the_next_part_may_go() -> None:
    pace = Pace(10)
    assert (1, 3.0) == (pace.allowed(3.0), pace.next_at(3.0))
    pace.spend(1, 3.0)
    pace.spend(1, 3.05)

    assert 0 == pace.allowed(3.1)
    assert 3.2 == pytest.approx(pace.next_at(3.1))
    assert 1 == pace.allowed(pace.next_at(3.1))


def test_a_full_second_says_when_it_has_room_again() -> None:
    pace = Pace(3)
    pace.spend(1, 0.0)
    pace.change(1_000, 0.0)
    pace.spend(2, 0.1)
    pace.change(3, 0.102)

    assert 0 == pace.allowed(0.5)
    assert 1.0 == pace.next_at(0.5)
    pace.spend(1, 1.0)
    assert 1.0 + 1 / 3 == pytest.approx(pace.next_at(1.0))


def test_a_changed_rate_counts_from_the_last_part() -> None:
    pace = Pace(0.1)
    pace.spend(1, 0.0)
    pace.change(10, 5.0)

    assert 10 == pace.rate
    assert 5.05 == pytest.approx(pace.next_at(5.0))


def test_a_lowered_rate_still_counts_what_was_sent() -> None:
    pace = Pace(100)
    for part in range(20):
        pace.spend(1, part / 100)
    pace.change(10, 0.2)

    assert 0 == pace.allowed(0.5)
    assert 1.1 <= pace.next_at(0.5) <= 1.11


def test_a_rate_that_comes_later_begins_then() -> None:
    pace = Pace(None)
    pace.spend(50, 1.0)
    pace.change(2, 1.0)
    assert 1 == pace.allowed(1.0)
    pace.spend(1, 1.0)
    pace.change(None, 1.1)

    assert pace.allowed(1.1) is None


def test_many_instants_are_told_apart_only_so_far() -> None:
    pace = Pace(10_000)
    for part in range(5_000):
        pace.spend(1, part / 5_000)

    assert pace.next_at(1.0) == pytest.approx(1.0, abs=0.001)
    assert most_within(send_all(pace, 3.0, 0.0007), 1.0) <= 10_000


def test_a_rate_is_positive() -> None:
    for rate in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=f"rate: {rate}, expected more than 0"):
            Pace(rate)
        with pytest.raises(ValueError, match=f"rate: {rate}, expected more than 0"):
            Pace(1).change(rate, 0.0)
