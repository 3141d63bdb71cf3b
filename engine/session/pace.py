"""How fast we may send: a smooth rate in parts per second, no bursts at the start of a second.

Pure arithmetic on `now`; who waits, and on what, is the carrier's matter. Message centres count in
windows of one second or less, so a whole second's allowance at once is throttled by many.
"""

import attrs

BURST_INTERVAL = 0.05
"""How much of the past, in seconds, may be made up for at once. A timer wakes a few milliseconds late
under load; 50 ms make up for that, and stay far below the second in which carriers count."""


def _check(_pace: "Pace", _attribute: "attrs.Attribute[float | None]", rate: float | None) -> None:
    if rate is not None and not rate > 0:
        raise ValueError(f"rate: {rate}, expected more than 0 parts per second")


@attrs.define(eq=False)
class Pace:
    """A bucket that fills at `rate` and holds what `BURST_INTERVAL` brings, at least one part."""

    rate: float | None = attrs.field(validator=_check)
    """Parts per second; None for as fast as the window allows."""
    _next_at: float = attrs.field(default=float("-inf"), init=False)

    def allowed(self, now: float) -> int | None:
        """Tell how many parts may go now; None means that nothing limits them."""
        if self.rate is None:
            return None
        behind = max(0.0, min(now - self._next_at, BURST_INTERVAL))
        # The small addition absorbs the rounding of sums such as 0.1 + 0.2.
        return 1 + int(behind * self.rate + 1e-9) if now >= self._next_at - 1e-9 else 0

    def spend(self, parts: int, now: float) -> None:
        """Note that `parts` were sent at `now`; the next may go one interval after the last."""
        if self.rate is not None:
            self._next_at = max(self._next_at, now - BURST_INTERVAL) + parts / self.rate

    def next_at(self, now: float) -> float:
        """Tell from when on the next part may go; `now` when it may go at once."""
        return now if self.rate is None else max(now, self._next_at)
