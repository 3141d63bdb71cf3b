"""Binds of one account take turns at its hosts: never at one that waits, never too often, one for all."""

from math import inf
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from whiteroute.engine.profile import RebindOptions
from whiteroute.engine.upkeep import STEADY_TIME, BindAttempts, BindFailure, HostRound, Turn

NETWORK = BindFailure.NETWORK


def turn(hosts: HostRound, now: float, bind: str = "acme/1", kind: str = "trx") -> Turn:
    return hosts.next_turn(bind, kind, now)


def fail(
    hosts: HostRound,
    now: float,
    failure: BindFailure = NETWORK,
    *,
    host: int = 0,
    kind: str = "trx",
    **how: Any,
) -> float:
    """Fail a try; give from when on the host may be tried for the same again, alone."""
    how = {"jitter": 1.0, "began_at": now} | how
    hosts.failed(host, kind, failure, now, **how)
    alone = HostRound(1, hosts.options)
    alone._hosts = [hosts._hosts[host]]
    return turn(alone, now, kind=kind).at


def test_the_first_host_comes_first() -> None:
    assert Turn(0, -inf) == turn(HostRound(3), 5.0)


def test_one_that_failed_is_passed_over_until_its_wait_is_over() -> None:
    hosts = HostRound(3)

    assert 6.0 == fail(hosts, 5.0)
    assert 1 == turn(hosts, 5.0).host
    fail(hosts, 5.0, host=1)
    assert 2 == turn(hosts, 5.5).host
    assert 0 == turn(hosts, 6.0).host


def test_when_all_wait_the_one_that_waits_least_is_next() -> None:
    hosts = HostRound(2)
    fail(hosts, 0.0, BindFailure.BIND_FAILED, jitter=0.0)
    fail(hosts, 0.0, BindFailure.ALREADY_BOUND, host=1, jitter=0.0)

    assert Turn(1, 30.0) == turn(hosts, 1.0)


def test_one_that_refused_the_credentials_is_not_tried_again_until_told() -> None:
    hosts = HostRound(1)
    hosts.accepted(0, 0.0)
    fail(hosts, 50.0, BindFailure.CREDENTIALS)
    hosts.lost(0, "trx", 60.0, 1.0, bound_at=0.0)
    assert inf == turn(hosts, 1e9).at

    hosts.forget()
    assert -inf == turn(hosts, 0.0).at


def test_what_is_refused_to_one_kind_of_bind_is_not_refused_to_others() -> None:
    hosts = HostRound(1)
    fail(hosts, 0.0, BindFailure.BIND_FAILED, kind="rx", jitter=0.0)

    assert 300.0 == turn(hosts, 0.0, kind="rx").at
    assert turn(hosts, 0.0, kind="tx").at <= 0.0


# One host, many binds.


def test_one_bind_at_a_time_finds_out_whether_a_host_is_back() -> None:
    hosts = HostRound(1)
    fail(hosts, 0.0)
    hosts.begin(0, "acme/1")

    assert turn(hosts, 5.0, "acme/1").at <= 5.0
    assert inf == turn(hosts, 5.0, "acme/2").at
    hosts.end(0, "acme/2")
    assert inf == turn(hosts, 5.0, "acme/2").at, "only who tries can end it"
    hosts.end(0, "acme/1")
    assert turn(hosts, 5.0, "acme/2").at <= 5.0


def test_a_host_that_is_not_known_to_be_down_is_open_to_all() -> None:
    hosts = HostRound(1)
    hosts.begin(0, "acme/1")

    assert -inf == turn(hosts, 0.0, "acme/2").at


def test_when_it_is_back_all_follow_whatever_was_tried_in_vain() -> None:
    hosts = HostRound(1, RebindOptions(attempts_per_minute=2))
    now = 0.0
    for _ in range(6):
        now = max(now, turn(hosts, now).at)
        fail(hosts, now)
    now = turn(hosts, now).at
    hosts.begin(0, "acme/1")
    hosts.accepted(0, now)
    hosts.end(0, "acme/1")

    assert all(turn(hosts, now, f"acme/{number}").at <= now for number in range(40))


def test_binds_that_fail_together_are_one_failure() -> None:
    hosts = HostRound(1)
    assert 11.0 == fail(hosts, 10.0, began_at=0.0)
    for began_at in (0.0, 1.0, 9.0):
        fail(hosts, 10.5, began_at=began_at)

    assert 13.0 == fail(hosts, 11.0, began_at=11.0), "the second, not the fifth"


def test_what_was_accepted_before_a_failure_does_not_make_it_good() -> None:
    hosts = HostRound(1)
    fail(hosts, 5.0)
    hosts.accepted(0, 4.0)
    hosts.begin(0, "acme/1")

    assert inf == turn(hosts, 9.0, "acme/2").at


def test_a_bind_that_has_held_and_is_lost_begins_a_new_outage() -> None:
    hosts = HostRound(1)
    for now in (0.0, 100.0, 200.0, 300.0):
        fail(hosts, now)
    fail(hosts, 300.0, BindFailure.BIND_FAILED)
    for _ in range(40):
        hosts.lost(0, "trx", 310.0, 1.0, bound_at=250.0)

    assert 311.0 == turn(hosts, 310.0).at


def test_a_host_that_drops_what_it_takes_is_waited_for_longer_and_longer() -> None:
    hosts = HostRound(1, RebindOptions(attempts_per_minute=600))
    now, waits = 0.0, []
    for _ in range(4):
        hosts.accepted(0, now)
        hosts.lost(0, "trx", now + 1, 1.0, bound_at=now)
        began_at, now = now + 1, turn(hosts, now + 1).at
        waits.append(now - began_at)
    assert [1.0, 2.0, 8.0] == [waits[0], waits[1], waits[3]]

    hosts.begin(0, "acme/1")
    hosts.accepted(0, now)
    assert inf == turn(hosts, now, "acme/2").at, "it has to hold before the others follow"
    hosts.held(0, 10.0)
    assert inf == turn(hosts, now, "acme/2").at, "one that is older than the failure says nothing"
    hosts.held(0, now)
    assert turn(hosts, now, "acme/2").at <= now
    assert now + 1 == fail(hosts, now), "the first failure again"


# The way back.


def test_a_bind_returns_to_the_first_host_after_a_while() -> None:
    hosts = HostRound(2, RebindOptions(fail_back_after=100.0))
    assert inf == hosts.return_at(0, "acme/1", "trx", 5.0), "it is there"
    assert 105.0 == hosts.return_at(1, "acme/1", "trx", 5.0)

    fail(hosts, 5.0, BindFailure.BIND_FAILED, jitter=0.0)
    assert 305.0 == hosts.return_at(1, "acme/1", "trx", 5.0)
    hosts.begin(0, "acme/2")
    assert inf == hosts.return_at(1, "acme/1", "trx", 5.0), "another one looks"


def test_a_bind_stays_where_it_is_when_nothing_is_to_be_returned_to() -> None:
    hosts = HostRound(2, RebindOptions(fail_back_after=0.0))

    assert inf == hosts.return_at(1, "acme/1", "trx", 5.0)


# The attempts.


@pytest.mark.parametrize(
    ("per_minute", "expected"),
    [
        (6, [0, 0, 0, 0, 10, 20, 60, 60, 60, 60, 70, 80]),
        (4, [0, 0, 0, 15, 60, 60, 60, 75]),
        (1, [0, 60, 120]),
        (0, [0, 60, 120]),
    ],
)
def test_attempts_in_vain_are_spread_over_the_minute(per_minute: int, expected: list[int]) -> None:
    attempts = BindAttempts()
    now, made = 0.0, []
    for _ in expected:
        now = max(now, attempts.free_at(per_minute))
        made.append(now)
        attempts.failed(now)

    assert expected == made


def test_asking_in_another_way_spends_attempts_but_does_not_wait() -> None:
    hosts = HostRound(2)
    for _ in range(3):
        hosts.asked_otherwise(0, 0.0)
        assert 0 == turn(hosts, 0.0).host
    hosts.asked_otherwise(0, 0.0)

    assert 1 == turn(hosts, 0.0).host
    assert 0 == turn(hosts, 10.0).host


class Round(RuleBasedStateMachine):
    """Binds of one account on some hosts, which fail, are accepted, hold and are lost in any order."""

    @initialize(hosts=st.integers(1, 3), per_minute=st.integers(1, 6))
    def begin(self, hosts: int, per_minute: int) -> None:
        self.options = RebindOptions(attempts_per_minute=per_minute)
        self.hosts = HostRound(hosts, self.options)
        self.now = 0.0
        self.trying: dict[int, tuple[int, float]] = {}
        self.bound: dict[int, tuple[int, float]] = {}
        self.failed_at: list[list[float]] = [[] for _ in range(hosts)]
        self.last_failed_at = [-inf] * hosts
        self.is_taking = [False] * hosts
        """Whether the host took a bind after its last failure."""

    @rule(seconds=st.floats(0.0, 120.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(bind=st.integers(0, 4))
    def take_a_turn(self, bind: int) -> None:
        if bind in self.trying or bind in self.bound:
            return
        turn = self.hosts.next_turn(bind, "trx", self.now)
        if turn.at > self.now:
            return
        if not self.is_taking[turn.host]:
            failed_at = self.failed_at[turn.host]
            since = self.last_failed_at[turn.host]
            others = [host for host, at in self.trying.values() if host == turn.host and at > since]
            assert not (failed_at and others), "one at a time"
            recent = [at for at in failed_at if at > self.now - 59.99]
            assert len(recent) < self.options.attempts_per_minute
            if others:
                return  # the account lets one go first
        self.hosts.begin(turn.host, bind)
        self.trying[bind] = (turn.host, self.now)

    @precondition(lambda self: self.trying)
    @rule(
        data=st.data(),
        failure=st.sampled_from([None, None, *BindFailure]),
        jitter=st.floats(0.0, 1.0),
    )
    def come_to_something(
        self, data: st.DataObject, failure: BindFailure | None, jitter: float
    ) -> None:
        bind = data.draw(st.sampled_from(sorted(self.trying)))
        host, began_at = self.trying.pop(bind)
        if failure is None:
            self.hosts.accepted(host, began_at)
            self.bound[bind] = (host, self.now)
            self.is_taking[host] = True
        else:
            self._fail(host, began_at)
            self.hosts.failed(host, "trx", failure, self.now, jitter, began_at=began_at)
        self.hosts.end(host, bind)

    @precondition(lambda self: self.bound)
    @rule(data=st.data(), jitter=st.floats(0.0, 1.0))
    def lose(self, data: st.DataObject, jitter: float) -> None:
        bind = data.draw(st.sampled_from(sorted(self.bound)))
        host, bound_at = self.bound.pop(bind)
        self.is_taking[host] = False
        if self.now - bound_at < STEADY_TIME:
            self._fail(host, bound_at)
        else:
            self.last_failed_at[host] = self.now
        self.hosts.lost(host, "trx", self.now, jitter, bound_at=bound_at)

    @precondition(lambda self: self.bound)
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        bind = data.draw(st.sampled_from(sorted(self.bound)))
        host, bound_at = self.bound[bind]
        if self.now - bound_at >= STEADY_TIME:
            self.hosts.held(host, bound_at)

    @rule()
    def be_told_to_try(self) -> None:
        self.hosts.forget()
        self.failed_at = [[] for _ in self.failed_at]
        self.last_failed_at = [-inf for _ in self.failed_at]
        self.is_taking = [False for _ in self.is_taking]

    def _fail(self, host: int, began_at: float) -> None:
        self.is_taking[host] = False
        # What began before the last failure is the same outage, told once more.
        if not self.hosts._hosts[host].is_down or began_at > self.last_failed_at[host]:
            self.failed_at[host].append(self.now)
            self.last_failed_at[host] = self.now


TestRound = Round.TestCase
