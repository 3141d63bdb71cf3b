"""Which of a carrier's hosts a bind tries next, from when on, and when it returns to the first.

A host that failed is left alone for the wait its failure asks for, while the others are tried; among
those that may be tried the first comes first. How often a host is tried at all is counted over all binds
that share a `BindAttempts`.
"""

from collections import deque
from collections.abc import Callable, Hashable
from math import inf

import attrs

from whiteroute.engine.profile import RebindOptions

from .backoff import Backoff, BindFailure

__all__ = ["BindAttempts", "HostRound", "Turn"]

MINUTE = 60.0


@attrs.frozen
class Turn:
    """What to try next."""

    host: int
    """Which of the hosts; counts from 0."""
    at: float
    """From when on; in the past when it may be tried now."""


@attrs.define(eq=False)
class HostRound:
    """One bind's way through the hosts of its carrier."""

    hosts: int
    """How many there are, at least 1."""
    options: RebindOptions = RebindOptions()
    _backoffs: list[Backoff] = attrs.field(init=False)
    _from: list[float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Every host may be tried now, as if none had ever failed."""
        self._backoffs = [Backoff(self.options) for _ in range(self.hosts)]
        self._from = [-inf] * self.hosts

    def next_turn(self, now: float, free_at: Callable[[int], float]) -> Turn:
        """Tell what to try next.

        Args:
            now: Seconds on the owner's clock.
            free_at: From when on a host may be tried at all, as `BindAttempts` counts.

        Returns:
            The first host that may be tried now; if there is none, the one that may be soonest.
        """
        turns = [Turn(host, max(self._from[host], free_at(host))) for host in range(self.hosts)]
        # `min` takes the first of equals.
        return min(turns, key=lambda turn: max(turn.at, now))

    def failed(self, host: int, failure: BindFailure, now: float, jitter: float) -> float:
        """Note that a host refused us, or that its bind was lost.

        Returns:
            From when on it may be tried again; infinite for never, until `forget`.
        """
        delay = self._backoffs[host].next_delay(failure, jitter)
        self._from[host] = inf if delay is None else now + delay
        return self._from[host]

    def held(self, host: int) -> None:
        """Note that a bind to a host has held; its next failure is the first again."""
        self._backoffs[host].succeeded()

    def return_at(self, host: int, since: float, free_at: Callable[[int], float]) -> float:
        """Tell when a bind that is up should try the first host again; infinite for never.

        Args:
            host: To which it is bound.
            since: From when on it was content with that: since it is bound, or since it tried last.
            free_at: As for `next_turn`.
        """
        if host == 0 or self.options.fail_back_after <= 0:
            return inf
        return max(since + self.options.fail_back_after, self._from[0], free_at(0))


@attrs.define(eq=False)
class BindAttempts:
    """How often each host was tried within the last minute, by all who share this."""

    _made_at: dict[Hashable, deque[float]] = attrs.field(factory=dict, init=False)

    def made(self, host: Hashable, now: float) -> None:
        """Note that a host is tried now."""
        made_at = self._made_at.setdefault(host, deque())
        made_at.append(now)
        while made_at[0] <= now - MINUTE:
            made_at.popleft()

    def free_at(self, host: Hashable, per_minute: int) -> float:
        """Tell from when on a host may be tried without exceeding so many attempts in any minute."""
        made_at = self._made_at.get(host, ())
        per_minute = max(1, per_minute)
        return -inf if len(made_at) < per_minute else made_at[-per_minute] + MINUTE
