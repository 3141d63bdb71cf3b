"""Which host a bind tries next: the first that may be tried, and back to the first.

A host that failed is left alone for the wait its failure asks for, while the others are tried; among
those that may be tried the first comes first. All binds of an account share what is known of a host:
while it is down, one of them at a time finds out whether it is back, and the others follow at once.
"""

from collections import deque
from collections.abc import Hashable
from math import inf

import attrs

from whiteroute.engine.profile import RebindOptions

from .backoff import Backoff, BindFailure

__all__ = ["STEADY_TIME", "BindAttempts", "HostRound", "Turn"]

MINUTE = 60.0

STEADY_TIME = 10.0
"""Seconds after which a bind counts as one that holds. A front end that takes every bind and drops it
at once would otherwise be asked again every second for ever."""


@attrs.frozen
class Turn:
    """What to try next."""

    host: int
    """Which of the hosts; counts from 0."""
    at: float
    """From when on; in the past when it may be tried now, infinite when something has to happen first."""


@attrs.define(eq=False)
class BindAttempts:
    """How often a host was tried in vain within the last minute."""

    _failed_at: deque[float] = attrs.field(factory=deque[float], init=False)

    def failed(self, now: float) -> None:
        """Note that an attempt came to nothing."""
        self._failed_at.append(now)
        while self._failed_at[0] <= now - MINUTE:
            self._failed_at.popleft()

    def free_at(self, per_minute: int) -> float:
        """Tell from when on another attempt exceeds so many in no minute, even if it fails.

        Two thirds of them may be spent at once; the others are spread over the minute, lest a short
        outage becomes one of a minute because everything was spent in its first seconds.
        """
        per_minute = max(1, per_minute)
        failed_at = self._failed_at
        interval = MINUTE / per_minute
        ready_at = -inf
        for at in failed_at:
            ready_at = max(ready_at, at) + interval
        at_once = (2 * per_minute + 2) // 3
        free_at = ready_at - (at_once - 1) * interval
        if len(failed_at) >= per_minute:
            free_at = max(free_at, failed_at[-per_minute] + MINUTE)
        return free_at


@attrs.define(eq=False)
class _Host:
    """What is known of one host."""

    backoff: Backoff
    attempts: BindAttempts = attrs.field(factory=BindAttempts)
    free_at: float = -inf
    """From when on it may be tried, after a network fault."""
    kinds_free_at: dict[str, float] = attrs.field(factory=dict[str, float])
    """Likewise for each kind of bind that it refused: a receiver that is not provided for says nothing
    of transmitters."""
    failed_at: float = -inf
    """When it failed last, as far as that was news."""
    is_down: bool = False
    works: bool = False
    """Whether it took a bind since it failed last, and is not known to drop them."""
    drops: bool = False
    """Whether it took a bind and dropped it at once."""
    prober: Hashable = None
    """Which bind finds out whether it is back."""


@attrs.define(eq=False)
class HostRound:
    """One account's way through its hosts. Binds and kinds of binds are told apart by any keys."""

    hosts: int
    """How many there are, at least 1."""
    options: RebindOptions = RebindOptions()
    _hosts: list[_Host] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Every host may be tried now, as if none had ever failed."""
        self._hosts = [_Host(Backoff(self.options)) for _ in range(self.hosts)]

    # Whose turn it is.

    def next_turn(self, bind: Hashable, kind: str, now: float) -> Turn:
        """Tell what a bind tries next.

        Args:
            bind: Which one asks.
            kind: What it asks a host for.
            now: Seconds on the owner's clock.

        Returns:
            The first host that may be tried now; if there is none, the one that may be soonest.
        """
        turns = [Turn(host, self._free_at(host, bind, kind)) for host in range(self.hosts)]
        # `min` takes the first of equals.
        return min(turns, key=lambda turn: max(turn.at, now))

    def return_at(self, host: int, bind: Hashable, kind: str, since: float) -> float:
        """Tell when a bind that is up should try the first host again; infinite for never.

        Args:
            host: To which it is bound.
            bind: Which one asks.
            kind: What it asks a host for.
            since: From when on it was content with that: since it is bound, or since it tried last.
        """
        if host == 0 or self.options.fail_back_after <= 0:
            return inf
        return max(since + self.options.fail_back_after, self._free_at(0, bind, kind))

    def begin(self, host: int, bind: Hashable) -> None:
        """Note that a bind tries a host now; until `end`, others leave one alone that is down."""
        if self._hosts[host].is_down:
            self._hosts[host].prober = bind

    def end(self, host: int, bind: Hashable) -> None:
        """Note that what a bind tried has come to something, told before or after."""
        if self._hosts[host].prober == bind:
            self._hosts[host].prober = None

    def _free_at(self, host: int, bind: Hashable, kind: str) -> float:
        known = self._hosts[host]
        free_at = max(known.free_at, known.kinds_free_at.get(kind, -inf))
        if known.works:
            return free_at
        if known.is_down and known.prober not in (None, bind):
            return inf
        return max(free_at, known.attempts.free_at(self.options.attempts_per_minute))

    # What came of it.

    def accepted(self, host: int, began_at: float) -> None:
        """Note that a host took a bind: all others may follow.

        Unless it is known to drop what it took; then only `held` shows that it works.

        Args:
            host: Which one.
            began_at: When it was asked; what it failed since then is not made good by it.
        """
        known = self._hosts[host]
        if began_at > known.failed_at and not known.drops:
            known.is_down, known.works = False, True

    def held(self, host: int, bound_at: float) -> None:
        """Note that a bind has held for `STEADY_TIME`; the next failure is the first again."""
        known = self._hosts[host]
        if bound_at > known.failed_at:
            known.backoff.succeeded()
            known.is_down, known.works, known.drops = False, True, False

    def asked_otherwise(self, host: int, now: float) -> None:
        """Note that a host refused how we asked. It may be asked in another way at once, as long as
        there are attempts left.
        """
        known = self._hosts[host]
        known.attempts.failed(now)
        known.works = False

    def failed(
        self,
        host: int,
        kind: str,
        failure: BindFailure,
        now: float,
        jitter: float,
        *,
        began_at: float,
    ) -> None:
        """Note that a host could not be bound to.

        Args:
            host: Which one.
            kind: What it was asked for.
            failure: Why not.
            now: Seconds on the owner's clock.
            jitter: As for `Backoff.next_delay`.
            began_at: When it was asked. Where it has failed since, this is the same outage told once
                more: of many binds that fail together, one is counted and makes the next wait longer.
        """
        known = self._hosts[host]
        is_news = not known.is_down or began_at > known.failed_at
        known.is_down, known.works = True, False
        if is_news:
            known.attempts.failed(now)
        elif failure is BindFailure.NETWORK:
            return
        delay = known.backoff.next_delay(failure, jitter)
        if delay is None:
            known.free_at = inf
        elif failure is BindFailure.NETWORK:
            known.free_at = max(now + delay, self._for_ever(known))
        else:
            known.kinds_free_at[kind] = now + delay
        known.failed_at = now

    def lost(self, host: int, kind: str, now: float, jitter: float, *, bound_at: float) -> None:
        """Note that a bind was lost that a host had taken.

        One that had held begins a new outage, whatever failed before: it is looked for again as soon
        as after any first failure.
        """
        known = self._hosts[host]
        if now - bound_at < STEADY_TIME:
            known.drops = True
            self.failed(host, kind, BindFailure.NETWORK, now, jitter, began_at=bound_at)
            return
        known.backoff.succeeded()
        delay = known.backoff.next_delay(BindFailure.NETWORK, jitter) or 0.0
        known.free_at = max(now + delay, self._for_ever(known))
        known.kinds_free_at.pop(kind, None)
        known.is_down, known.works, known.drops = True, False, False
        known.failed_at = now

    @staticmethod
    def _for_ever(known: _Host) -> float:
        """Infinite where only being told ends the wait."""
        return inf if known.free_at == inf else -inf
