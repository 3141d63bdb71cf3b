"""How many parts per second a carrier bears, learned from its answers.

It gives way by a factor when the carrier complains, and gains back by small steps while it does not:
fast up to what has held before, slowly beyond. It only advises; sending at that pace, and the pause
after a complaint, are the carrier's.
"""

from math import inf
from typing import Literal

import attrs

__all__ = ["Ceiling", "CeilingChange"]

FLOOR = 1.0
"""Parts per second below which nothing is given up any more, so that we hear when it is over."""

KNEE = 0.95
"""The share of the pace at a complaint that counts as one which holds."""

GIVING_WAY_INTERVAL = 1.0
"""Seconds from one giving way to the next, at least. Message centres count in seconds: what else is
refused in the same one is the same complaint."""

SHORTEST_PATIENCE = 60.0
LONGEST_PATIENCE = 900.0
"""Seconds of probing beyond what has held until the steps have their full size. Doubled from the
shortest on by each complaint at about the same pace: a limit that stands for long is run against less
and less often. With the longest, a limit of 20 is met about once in 80 s, and one that was raised
fivefold is found out in 6 minutes."""

SAME_PACE = 0.15
"""By which share two complaints may differ and still tell of the same limit."""

NEARING_CONGESTION = 90
OPTIMUM_LOAD = 80
CONGESTED = 100
"""congestion_state in percent: 80 to 89 is the optimum, 90 to 99 nears congestion, 100 is congested,
what is above is reserved. Spec: SMPP 5.0 §4.8.4.18."""

HOLD_INTERVAL = 2.0
"""Seconds without further steps after a carrier said that its load is the optimum."""

SLOW_SAMPLES = 5
SLOW_INTERVAL = 1.0
"""How many response times are looked at together, and over how many seconds at least. The least of
them counts, so that one slow answer, or all that a hiccup of the carrier held up, mean nothing."""

RISEN_RESPONSE = 1.0
RISEN_FACTOR = 4.0
"""A response time of so many seconds which is so many times the usual one has risen. Usual are less
than 0.1 s, and operators' own alarms are set to 1 s."""

HELPED = 0.9
WORSE = 1.5
"""A pace which was lowered because of slow responses, and the responses neither came down to the first
share nor went up to the second, was not their cause; it is not lowered for that again."""

NEWS_INTERVAL = 60.0
NEWS_SHARE = 0.1
"""News are for people: at most one in so many seconds, and only of a ceiling that differs so much."""


@attrs.frozen(kw_only=True)
class CeilingChange:
    """What a carrier bears was found to be lower or higher than it was told last."""

    carrier: str
    what: Literal["lowered", "raised"]
    tps: float
    """Parts per second that are believed to hold; hand it in after a restart."""
    contract: float | None
    """The contract's parts per second, None where there is none. Once `tps` is back at it there is
    nothing left that is worth remembering."""
    cause: str
    """For people."""


@attrs.define(eq=False, repr=False, kw_only=True)
class Ceiling:
    """One account's learned pace.

    The same calls with the same instants give the same pace. Times are seconds on the caller's clock.
    """

    carrier: str
    contract: float | None
    """Parts per second that are never exceeded; None for as many as the carrier bears."""
    learned: float | None = None
    """What had been found out before a restart. It is where it starts, and is probed again with the
    shortest patience, so that an old one is found out soon, too."""
    learns: bool = True
    decrease: float = 0.7
    """What the pace is multiplied by at a complaint."""
    increase: float = 0.02
    """The share gained in each second: of the contract up to what has held, of the pace beyond it."""
    slow_response: float = 5.0
    """Seconds of a response that are too many whatever is usual."""
    _tps: float | None = attrs.field(init=False)
    _knee: float = attrs.field(init=False)
    """What held; infinite as long as nobody has complained."""
    _patience: float = attrs.field(default=SHORTEST_PATIENCE, init=False)
    _probed: float = attrs.field(default=0.0, init=False)
    """Seconds spent beyond the knee."""
    _grown_at: float = attrs.field(default=inf, init=False)
    _held_until: float = attrs.field(default=-inf, init=False)
    _heard_at: float = attrs.field(default=-inf, init=False)
    _lowered_at: float = attrs.field(default=-inf, init=False)
    _second_at: float = attrs.field(default=-inf, init=False)
    _in_second: int = attrs.field(default=0, init=False)
    _in_second_before: int = attrs.field(default=0, init=False)
    _answers: int = attrs.field(default=0, init=False)
    """In this second, as `_in_second` for those that were taken."""
    _least_response: float = attrs.field(default=inf, init=False)
    _samples: int = attrs.field(default=0, init=False)
    _sampled_from: float = attrs.field(default=inf, init=False)
    _usual_response: float | None = attrs.field(default=None, init=False)
    _blamed_response: float | None = attrs.field(default=None, init=False)
    """The response time for which the pace was lowered; None since it was a usual one again."""
    _told: float | None = attrs.field(default=None, init=False)
    _told_at: float = attrs.field(default=-inf, init=False)
    _cause: str = attrs.field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        learned = self.learned if self.learns else None
        if learned is not None and self.contract is not None and learned >= self.contract:
            learned = None
        self._tps = self.contract if learned is None else self._bounded(learned)
        self._knee = inf if self._tps is None or learned is None else self._tps
        self._told = None if learned is None else self._tps

    @property
    def tps(self) -> float | None:
        """The pace to send at now, in parts per second; None for any."""
        return self._tps

    @property
    def believed(self) -> float | None:
        """What the carrier is believed to bear; None as long as the contract is all that is known."""
        if self._tps is None or self._knee == inf:
            return None
        return max(self._tps, self._knee)

    def change_contract(self, tps: float | None) -> None:
        """Go on under another contract; what was learned below it still holds."""
        was_free = self._knee == inf or self._tps == self.contract
        self.contract = tps
        if was_free:
            self._tps, self._knee = tps, inf
        elif tps is not None and self._tps is not None:
            self._tps = min(self._tps, tps)
            self._knee = min(self._knee, tps)

    def answered(
        self, accepted: int, answers: int, response_time: float, sent_at: float, now: float
    ) -> None:
        """Note answers that came together; before the complaints among them.

        Args:
            accepted: How many parts were taken.
            answers: How many answers there were in all.
            response_time: Seconds that one of them took; for one that never came, those waited.
            sent_at: When that one was sent.
            now: When they came.
        """
        if now - self._second_at >= 1.0:
            self._next_second(now)
        self._in_second += accepted
        self._answers += answers
        if not self.learns:
            return
        if sent_at > self._lowered_at:
            # What was sent before cannot tell what lowering the pace has done.
            if not self._samples:
                self._sampled_from = now
            self._samples += 1
            if response_time < self._least_response:
                self._least_response = response_time
            if self._samples >= SLOW_SAMPLES and now - self._sampled_from >= SLOW_INTERVAL:
                self._look_at_responses(now)
        if accepted and self._knee != inf:
            self._grow(now)

    def throttled(self, sent_at: float, now: float, cause: str) -> bool:
        """The carrier refused a part because we are too fast, or its queue is full.

        Args:
            sent_at: When the refused part was sent.
            now: When the answer came.
            cause: For people, e.g. `ESME_RTHROTTLED`.

        Returns:
            Whether that is new: False for one that was on its way when the complaint before came.
        """
        if sent_at <= self._heard_at:
            return False
        self._heard_at = now
        self._give_way(self.decrease, now, cause)
        return True

    def congested(self, state: int, sent_at: float, now: float) -> None:
        """An answer told how loaded the carrier is.

        Args:
            state: congestion_state, 0 to 100.
            sent_at: When the part that it answers was sent.
            now: When it came.
        """
        if NEARING_CONGESTION <= state <= CONGESTED:
            if sent_at > self._heard_at:
                self._heard_at = now
                gently = (1 + self.decrease) / 2
                factor = self.decrease if state == CONGESTED else gently
                self._give_way(factor, now, f"congestion_state {state}")
        elif OPTIMUM_LOAD <= state < NEARING_CONGESTION:
            self._held_until = now + HOLD_INTERVAL

    def take_news(self, now: float) -> CeilingChange | None:
        """Give what people should hear, and count it as told; None when there is nothing."""
        believed = self.believed
        told = self._told
        if believed is None or now - self._told_at < NEWS_INTERVAL:
            return None
        is_back = believed == self.contract
        before = self.contract if told is None else told
        if is_back and told is None:
            return None
        if before is not None and not is_back and abs(believed - before) <= NEWS_SHARE * before:
            return None
        self._told_at, self._told = now, None if is_back else believed
        is_raised = before is not None and believed > before
        return CeilingChange(
            carrier=self.carrier,
            what="raised" if is_raised else "lowered",
            tps=believed,
            contract=self.contract,
            cause="no complaint" if is_raised else self._cause,
        )

    def __repr__(self) -> str:
        return f"<Ceiling {self.carrier} {self._tps} of {self.contract} parts per second>"

    # How it moves.

    def _give_way(self, factor: float, now: float, cause: str) -> None:
        if not self.learns or now - self._lowered_at < GIVING_WAY_INTERVAL:
            return
        used = self._used(now)
        tps = max(used, self._answers) if self._tps is None else self._tps
        # What was taken in the last second is what it bears; but a carrier that complains although
        # little was sent tells nothing about much, so no more than half is believed at once.
        borne = self._bounded(min(tps, max(used, tps / 2)))
        is_known = abs(borne - self._knee / KNEE) <= SAME_PACE * borne
        self._patience = (
            min(2 * self._patience, LONGEST_PATIENCE) if is_known else SHORTEST_PATIENCE
        )
        self._tps = self._bounded(borne * factor)
        self._knee = max(self._tps, borne * KNEE)
        self._probed = 0.0
        self._grown_at = self._lowered_at = now
        self._samples, self._least_response = 0, inf
        self._cause = cause

    def _grow(self, now: float) -> None:
        # An hour without a part is not an hour in which the carrier bore the pace.
        time = min(now - self._grown_at, 1.0) if self._grown_at < now else 0.0
        self._grown_at = now
        tps = self._tps
        assert tps is not None, "whoever complained has set one"
        if now < self._held_until or tps == self.contract:
            return
        if tps < self._knee:
            tps = min(self._knee, tps + self.increase * (self.contract or self._knee) * time)
        elif self._used(now) >= tps / 2:
            # What is not used is not probed either.
            self._probed += time
            tps += self.increase * tps * time * min(1.0, self._probed / self._patience)
        self._tps = self._bounded(tps)

    def _bounded(self, tps: float) -> float:
        tps = max(tps, FLOOR)
        return tps if self.contract is None else min(tps, self.contract)

    # What it goes by.

    def _next_second(self, now: float) -> None:
        is_next = now - self._second_at < 2.0
        self._in_second_before = self._in_second if is_next else 0
        self._in_second = self._answers = 0
        self._second_at = self._second_at + 1.0 if is_next else now

    def _used(self, now: float) -> float:
        """How many parts were taken in the last second."""
        if now - self._second_at >= 1.0:
            self._next_second(now)
        into = now - self._second_at
        return self._in_second + self._in_second_before * (1.0 - into)

    def _look_at_responses(self, now: float) -> None:
        least = self._least_response
        self._samples, self._least_response = 0, inf
        usual = self._usual_response
        if usual is None or least < usual:
            self._usual_response = least
        else:
            self._usual_response = usual + (least - usual) / 100
        has_risen = usual is not None and least >= max(RISEN_RESPONSE, RISEN_FACTOR * usual)
        if not has_risen and least < self.slow_response:
            self._blamed_response = None
            return
        blamed = self._blamed_response
        if blamed is None or least < HELPED * blamed or least > WORSE * blamed:
            self._blamed_response = least
            self._give_way(self.decrease, now, f"responses take {least:.1f} s")
