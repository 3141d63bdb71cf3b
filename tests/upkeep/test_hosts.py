"""Which host a bind tries next: the first that may be, never one that waits, never too often."""

from collections.abc import Callable
from math import inf

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from whiteroute.engine.profile import RebindOptions
from whiteroute.engine.upkeep import BindAttempts, BindFailure, HostRound, Turn


def at_once(_host: int) -> float:
    return -inf


def test_the_first_host_comes_first() -> None:
    assert Turn(0, -inf) == HostRound(3).next_turn(5.0, at_once)


def test_one_that_failed_is_passed_over_until_its_wait_is_over() -> None:
    hosts = HostRound(3)

    assert 6.0 == hosts.failed(0, BindFailure.NETWORK, 5.0, 1.0)
    assert 1 == hosts.next_turn(5.0, at_once).host
    hosts.failed(1, BindFailure.NETWORK, 5.0, 1.0)
    assert 2 == hosts.next_turn(5.5, at_once).host
    assert 0 == hosts.next_turn(6.0, at_once).host


def test_when_all_wait_the_one_that_waits_least_is_next() -> None:
    hosts = HostRound(2)
    hosts.failed(0, BindFailure.BIND_FAILED, 0.0, 0.0)
    hosts.failed(1, BindFailure.ALREADY_BOUND, 0.0, 0.0)

    assert Turn(1, 30.0) == hosts.next_turn(1.0, at_once)


def test_one_that_was_tried_too_often_waits_as_well() -> None:
    assert Turn(1, -inf) == HostRound(2).next_turn(1.0, lambda host: 9.0 if host == 0 else -inf)


def test_one_that_refused_the_credentials_is_not_tried_again_until_told() -> None:
    hosts = HostRound(1)
    hosts.failed(0, BindFailure.CREDENTIALS, 0.0, 0.5)
    assert inf == hosts.next_turn(1e9, at_once).at

    hosts.forget()
    assert -inf == hosts.next_turn(0.0, at_once).at


def test_a_bind_that_held_starts_the_waits_anew() -> None:
    hosts = HostRound(1)
    for _ in range(5):
        hosts.failed(0, BindFailure.NETWORK, 0.0, 1.0)
    hosts.held(0)

    assert 1.0 == hosts.failed(0, BindFailure.NETWORK, 0.0, 1.0)


def test_a_bind_returns_to_the_first_host_after_a_while() -> None:
    hosts = HostRound(2, RebindOptions(fail_back_after=100.0))
    assert inf == hosts.return_at(0, 5.0, at_once), "it is there"
    assert 105.0 == hosts.return_at(1, 5.0, at_once)

    hosts.failed(0, BindFailure.BIND_FAILED, 5.0, 0.0)
    assert 305.0 == hosts.return_at(1, 5.0, at_once)
    assert 400.0 == hosts.return_at(1, 5.0, lambda _: 400.0)


def test_a_bind_stays_where_it_is_when_nothing_is_to_be_returned_to() -> None:
    assert inf == HostRound(2, RebindOptions(fail_back_after=0.0)).return_at(1, 5.0, at_once)


def test_in_no_minute_a_host_is_tried_more_often_than_it_may() -> None:
    attempts = BindAttempts()
    for now in (0.0, 10.0, 20.0):
        assert attempts.free_at("here", 3) <= now
        attempts.made("here", now)

    assert 60.0 == attempts.free_at("here", 3)
    assert -inf == attempts.free_at("there", 3)
    attempts.made("here", 60.0)
    assert 70.0 == attempts.free_at("here", 3)
    assert 120.0 == attempts.free_at("here", 1)
    assert 120.0 == attempts.free_at("here", 0), "never is not a number of attempts"


class Round(RuleBasedStateMachine):
    """Binds of one account on some hosts, each with waits of its own, who share their attempts."""

    @initialize(hosts=st.integers(1, 4), binds=st.integers(1, 3), per_minute=st.integers(1, 6))
    def begin(self, hosts: int, binds: int, per_minute: int) -> None:
        self.options = RebindOptions(attempts_per_minute=per_minute)
        self.rounds = [HostRound(hosts, self.options) for _ in range(binds)]
        self.attempts = BindAttempts()
        self.now = 0.0
        self.made: list[tuple[float, int]] = []
        self.blocked: dict[tuple[int, int], float] = {}
        """Until when a bind leaves a host alone."""

    def free_at(self) -> Callable[[int], float]:
        return lambda host: self.attempts.free_at(host, self.options.attempts_per_minute)

    @rule(seconds=st.floats(0.0, 120.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        bind=st.integers(0, 2),
        failure=st.sampled_from([None, *BindFailure]),
        jitter=st.floats(0.0, 1.0),
    )
    def take_a_turn(self, bind: int, failure: BindFailure | None, jitter: float) -> None:
        bind %= len(self.rounds)
        hosts = self.rounds[bind]
        turn = hosts.next_turn(self.now, self.free_at())
        may_at = [
            max(self.blocked.get((bind, host), -inf), self.free_at()(host))
            for host in range(hosts.hosts)
        ]
        if turn.at > self.now:
            assert min(may_at) == turn.at, "nobody waits longer than he must"
            if turn.at == inf:
                return
            self.now = turn.at
        else:
            assert turn.host == next(host for host, at in enumerate(may_at) if at <= self.now)
        self.attempts.made(turn.host, self.now)
        self.made.append((self.now, turn.host))
        if failure is None:
            hosts.held(turn.host)
        else:
            until = hosts.failed(turn.host, failure, self.now, jitter)
            least = {
                BindFailure.NETWORK: self.options.first_delay / 2,
                BindFailure.ALREADY_BOUND: self.options.already_bound_delay,
                BindFailure.BIND_FAILED: self.options.bind_failed_delay,
                BindFailure.CREDENTIALS: inf,
            }[failure]
            assert until - self.now >= least * 0.999
            if failure is BindFailure.NETWORK:
                assert until - self.now <= self.options.longest_delay * 1.001
            self.blocked[bind, turn.host] = until

    @rule(bind=st.integers(0, 2))
    def be_told_to_try(self, bind: int) -> None:
        bind %= len(self.rounds)
        self.rounds[bind].forget()
        for host in range(self.rounds[bind].hosts):
            self.blocked.pop((bind, host), None)

    @invariant()
    def no_host_is_tried_too_often(self) -> None:
        for begun, host in getattr(self, "made", []):
            within = [
                at for at, tried in self.made if tried == host and begun <= at < begun + 59.99
            ]
            assert len(within) <= self.options.attempts_per_minute


TestRound = Round.TestCase


@pytest.mark.parametrize("free", [1.0, 7.0])
def test_a_turn_that_may_be_taken_now_is_the_first_one_whatever_its_past(free: float) -> None:
    hosts = HostRound(2)
    hosts.failed(0, BindFailure.NETWORK, 0.0, 1.0)

    assert Turn(0, max(1.0, free)) == hosts.next_turn(8.0, lambda host: free if host == 0 else 2.0)
