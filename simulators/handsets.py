"""What becomes of a message behind the message centre: which handset takes it, when, or why not.

A table of frozen values. Chance is drawn from the seed, the number and how many messages that number
has had, never from a running generator: so the same seed gives the same figures however the binds
take turns.
"""

from bisect import bisect_right
from collections.abc import Iterable
from enum import StrEnum
from hashlib import blake2b
from itertools import accumulate
from math import exp
from statistics import NormalDist

import attrs

from whiteroute.pdu import MessageState

_NORMAL = NormalDist()

_FINAL = frozenset(
    (
        MessageState.DELIVERED,
        MessageState.EXPIRED,
        MessageState.DELETED,
        MessageState.UNDELIVERABLE,
        MessageState.REJECTED,
        MessageState.SKIPPED,
        # The specification counts these two as final; what an ESME makes of them is its matter.
        MessageState.ACCEPTED,
        MessageState.UNKNOWN,
    )
)


def _is_final(_instance: object, _attribute: object, state: MessageState) -> None:
    if state not in _FINAL:
        raise ValueError(f"state: {state.name}, expected a state in which a message can end")


def _is_pattern(_instance: object, _attribute: object, pattern: str) -> None:
    if "*" in pattern.strip("*") or pattern.count("*") > 1 or not pattern:
        raise ValueError(
            f"pattern: {pattern!r}, expected a number, `346*`, `*13` or `*` for any number"
        )


def _not_negative(_instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{attribute.name}: {value}, expected 0 or more")


def _fits(pattern: str, number: str) -> bool:
    if pattern.endswith("*"):
        return number.startswith(pattern[:-1])
    return number.endswith(pattern[1:]) if pattern[0] == "*" else number == pattern


@attrs.frozen(kw_only=True)
class Fate:
    """What becomes of one message."""

    state: MessageState
    err: str
    """The `err` of the receipt, usually three digits; "000" means no error."""
    delay: float
    """Seconds from the submission until it is known."""
    dropped: bool = False
    """Whether no handset ever gets it, whatever is said of it."""


@attrs.frozen(kw_only=True)
class Chance:
    """One way in which messages end, and how often compared with the others."""

    state: MessageState = attrs.field(validator=_is_final)
    weight: float = attrs.field(validator=_not_negative)
    err: str = "000"


@attrs.frozen(kw_only=True)
class Handset:
    """A rule for certain numbers: how every message to them ends."""

    pattern: str = attrs.field(validator=_is_pattern)
    """A whole number, a prefix `34600*`, a suffix `*13`, or `*` for all; without `+`."""
    state: MessageState = attrs.field(default=MessageState.DELIVERED, validator=_is_final)
    err: str = "000"
    delay: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_not_negative)
    )
    """Seconds; None: drawn as for all others."""

    def answers_for(self, number: str) -> bool:
        """Tell whether the rule is about this number (without `+`)."""
        return _fits(self.pattern, number)

    @classmethod
    def being(
        cls, condition: "HandsetCondition", pattern: str, *, delay: float | None = None
    ) -> "Handset":
        """Make the rule for numbers in this condition."""
        state, err, usual = _CONDITIONS[condition]
        return cls(pattern=pattern, state=state, err=err, delay=usual if delay is None else delay)


class HandsetCondition(StrEnum):
    """How handsets are, by the words of whoever works with them."""

    ON = "on"
    OFF = "off"
    """Until the message expires."""
    ROAMING = "roaming"
    """Delivered, but half a minute later."""
    FULL = "full"
    """No memory left for messages."""
    PORTED = "ported"
    """The number has gone to another network, and this one does not know which."""
    UNKNOWN = "unknown"
    """Nobody has this number."""
    BARRED = "barred"
    """The subscriber, or his operator, takes no such messages."""


_CONDITIONS: dict[HandsetCondition, tuple[MessageState, str, float | None]] = {
    HandsetCondition.ON: (MessageState.DELIVERED, "000", None),
    HandsetCondition.OFF: (MessageState.EXPIRED, "027", 86_400.0),
    HandsetCondition.ROAMING: (MessageState.DELIVERED, "000", 30.0),
    HandsetCondition.FULL: (MessageState.UNDELIVERABLE, "032", None),
    HandsetCondition.PORTED: (MessageState.UNDELIVERABLE, "005", None),
    HandsetCondition.UNKNOWN: (MessageState.UNDELIVERABLE, "001", None),
    HandsetCondition.BARRED: (MessageState.REJECTED, "013", None),
}
"""State, MAP error and seconds; None: as for all others."""


@attrs.frozen(kw_only=True)
class Reply:
    """A rule by which handsets answer what they get, from their number to whom they see as its sender."""

    text: str = attrs.field(repr=False)
    """What they write."""
    pattern: str = attrs.field(default="*", validator=_is_pattern)
    """Which numbers, as in `Handset`."""
    contains: str = ""
    """Only to texts that have this in them, in any case; empty: to all."""
    delay: float = attrs.field(default=5.0, validator=_not_negative)
    """Seconds."""

    def answers(self, number: str, text: str) -> bool:
        """Tell whether this number answers this text."""
        return _fits(self.pattern, number) and self.contains.casefold() in text.casefold()


@attrs.frozen(kw_only=True)
class Handsets:
    """All handsets behind one message centre.

    As it stands every message is delivered after a tenth of a second; `TYPICAL_HANDSETS` are more
    like people.

    Raises:
        ValueError: For a negative weight or time, weights that are all 0, or a median outside the
            bounds.
    """

    rules: tuple[Handset, ...] = attrs.field(default=(), converter=tuple[Handset, ...])
    """The first that fits a number decides; without one, `chances` do."""
    chances: tuple[Chance, ...] = attrs.field(
        default=(Chance(state=MessageState.DELIVERED, weight=1),), converter=tuple[Chance, ...]
    )
    median_delay: float = attrs.field(default=0.1, validator=_not_negative)
    """Seconds until half of all messages have ended."""
    sigma: float = attrs.field(default=0.0, validator=_not_negative)
    """Spread of the delay's logarithm (the delay is lognormal): 0 for always the median, 1 for a
    sixth below 0.37 and a sixth above 2.7 of it."""
    replies: tuple[Reply, ...] = attrs.field(default=(), converter=tuple[Reply, ...])
    """What they write back; every rule that fits answers."""
    least_delay: float = attrs.field(default=0.0, validator=_not_negative)
    most_delay: float = attrs.field(default=86_400.0, validator=_not_negative)
    _bounds: tuple[float, ...] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        bounds = tuple(accumulate(chance.weight for chance in self.chances))
        if not bounds or not bounds[-1] > 0:
            raise ValueError("chances: no weight above 0, expected at least one")
        if not self.least_delay <= self.median_delay <= self.most_delay:
            raise ValueError(
                f"median_delay: {self.median_delay},"
                f" expected {self.least_delay} to {self.most_delay}"
            )
        object.__setattr__(self, "_bounds", bounds)

    def fate(self, number: str, nth: int, seed: int) -> Fate:
        """Say what becomes of the `nth` message to a number; the same for the same arguments.

        Args:
            number: The destination, with or without `+`.
            nth: How many messages the number has had before.
            seed: The message centre's.
        """
        number = number.removeprefix("+")
        by_state, by_delay = draw(seed, f"{number}/{nth}")
        for rule in self.rules:
            if rule.answers_for(number):
                delay = self._delay(by_delay) if rule.delay is None else rule.delay
                return Fate(state=rule.state, err=rule.err, delay=delay)
        bounds = self._bounds
        chance = self.chances[bisect_right(bounds, by_state * bounds[-1])]
        return Fate(state=chance.state, err=chance.err, delay=self._delay(by_delay))

    def _delay(self, drawn: float) -> float:
        if not self.sigma:
            return self.median_delay
        delay = self.median_delay * exp(self.sigma * _NORMAL.inv_cdf(drawn))
        return min(max(delay, self.least_delay), self.most_delay)


def draw(seed: int, *words: object) -> tuple[float, float]:
    """Draw two numbers above 0 and below 1 which depend on nothing but the arguments.

    Measured: 1 µs, where seeding a generator of its own takes 6.
    """
    text = "/".join(map(str, (seed, *words)))
    octets = blake2b(text.encode(), digest_size=16).digest()
    # 52 bits and a half: with one bit more the largest would round to 1.
    first = int.from_bytes(octets[:8], "big") >> 12
    second = int.from_bytes(octets[8:], "big") >> 12
    return (first + 0.5) / (1 << 52), (second + 0.5) / (1 << 52)


def _chances(*rows: tuple[MessageState, str, float]) -> Iterable[Chance]:
    return (Chance(state=state, err=err, weight=weight) for state, err, weight in rows)


TYPICAL_HANDSETS = Handsets(
    chances=tuple(
        _chances(
            (MessageState.DELIVERED, "000", 930),
            (MessageState.UNDELIVERABLE, "001", 18),
            (MessageState.UNDELIVERABLE, "006", 8),
            (MessageState.UNDELIVERABLE, "027", 14),
            (MessageState.UNDELIVERABLE, "031", 4),
            (MessageState.UNDELIVERABLE, "032", 3),
            (MessageState.EXPIRED, "027", 18),
            (MessageState.REJECTED, "011", 5),
        )
    ),
    median_delay=3.0,
    sigma=0.9,
    least_delay=0.2,
    most_delay=600.0,
)
"""A weekday: 93 of 100 are delivered, half of them within three seconds, a sixth after more than
seven. The errors are MAP's: 1 unknown subscriber, 6 and 27 absent, 31 busy, 32 memory full, 11
teleservice not provisioned."""
