"""How fast we may send: a smooth rate in parts per second, no bursts at the start of a second.

Pure arithmetic on `now`; who waits, and on what, is the carrier's matter, and so is what the rate
should be. Message centres count in windows of one second, from the first part on, in whole seconds
of their own clock, or sliding; what fits every sliding second fits them all.
"""

from collections import deque
from math import ceil, inf, nextafter

import attrs

COUNTED_INTERVAL = 1.0
"""Seconds over which message centres count."""

CATCH_UP_INTERVAL = 0.05
"""How late, in seconds, a part may be for those behind it to make up for it. A timer wakes a few
milliseconds late under load. Who comes later still did not wait for us: he had nothing to send, and
starts afresh."""

KEPT_INSTANTS = 1000
"""How many instants of sending are told apart; beyond that, parts count from the end of a millisecond
rather than from its middle."""

_ROUNDING = 1e-9
"""Absorbs what sums such as 0.1 + 0.2 are off by."""


def _check(_pace: object, _attribute: object, rate: float | None) -> None:
    if rate is not None and not rate > 0:
        raise ValueError(f"rate: {rate}, expected more than 0 parts per second")


@attrs.define(slots=True, eq=False)
class _Instant:
    """When parts were sent, and how many."""

    at: float
    parts: int


@attrs.define(eq=False)
class Pace:
    """One part each 1/`rate` seconds, and in no second more than `rate`, rounded up.

    A pace below one part per second is kept over as many seconds as one part takes.
    """

    _rate: float | None = attrs.field(validator=_check)
    _next_at: float = attrs.field(default=-inf, init=False)
    _sent: deque[_Instant] = attrs.field(factory=deque[_Instant], init=False)
    """What still counts, oldest first."""
    _counted: int = attrs.field(default=0, init=False)

    @property
    def rate(self) -> float | None:
        """Parts per second; None for as fast as the window allows."""
        return self._rate

    def allowed(self, now: float) -> int | None:
        """Tell how many parts may go now; None means that nothing limits them."""
        rate = self._rate
        if rate is None:
            return None
        if now < self._next_at - _ROUNDING:
            return 0
        self._forget(now)
        paced = 1 + int(self._behind(now) * rate + _ROUNDING)
        return max(0, min(paced, self._most() - self._counted))

    def brings(self, within: float, now: float) -> int | None:
        """Tell how many parts will have been allowed `within` seconds from now, if none is spent.

        For whoever has to prepare them; no more than `allowed` may go all the same. None means that
        nothing limits them.
        """
        rate = self._rate
        if rate is None:
            return None
        time = now + within - max(self._next_at, now - self._behind(now))
        return 1 + int(time * rate + _ROUNDING) if time >= -_ROUNDING else 0

    def spend(self, parts: int, now: float) -> None:
        """Note that `parts` leave at `now`; the next may go one interval after the last."""
        rate = self._rate
        if rate is None or not parts:
            return
        self._forget(now)
        self._next_at = max(self._next_at, now - self._behind(now)) + parts / rate
        self._counted += parts
        last = self._sent[-1] if self._sent else None
        if last is not None and (
            now <= last.at or (len(self._sent) >= KEPT_INSTANTS and now < last.at + 0.001)
        ):
            last.at = max(last.at, now)
            last.parts += parts
        else:
            self._sent.append(_Instant(now, parts))

    def next_at(self, now: float) -> float:
        """Tell from when on the next part may go; `now` when it may go at once."""
        if self._rate is None:
            return now
        self._forget(now)
        at = max(now, self._next_at)
        too_many = self._counted + 1 - self._most()
        for instant in self._sent:
            if too_many <= 0:
                break
            at = max(at, self._is_forgotten_at(instant))
            too_many -= instant.parts
        return at

    def change(self, rate: float | None, now: float) -> None:
        """Go on at another rate; what was sent in the last second still counts.

        Raises:
            ValueError: For a rate that is not positive.
        """
        _check(self, None, rate)
        before, self._rate = self._rate, rate
        if rate is not None and before is not None and self._next_at > now:
            self._next_at = now + (self._next_at - now) * before / rate

    def _behind(self, now: float) -> float:
        behind = now - self._next_at
        return behind if 0 < behind <= CATCH_UP_INTERVAL else 0.0

    def _interval(self) -> float:
        return max(COUNTED_INTERVAL, 1 / self._rate) if self._rate else COUNTED_INTERVAL

    def _is_forgotten_at(self, instant: _Instant) -> float:
        interval = self._interval()
        at = instant.at + interval
        return at if at - instant.at >= interval else nextafter(at, inf)

    def _most(self) -> int:
        return ceil((self._rate or 0.0) * self._interval() - _ROUNDING)

    def _forget(self, now: float) -> None:
        sent, interval = self._sent, self._interval()
        while sent and now - sent[0].at >= interval:
            self._counted -= sent.popleft().parts
