"""How long it takes until an outcome is told, as frozen values: the families of honest and invented times.

Both the message centre, which draws by seed and message, and `routes`, which draws from one generator,
take their times from here, so that a figure measured with one holds for the other.
"""

import math
from random import Random
from statistics import NormalDist

import attrs

_NORMAL = NormalDist()


@attrs.frozen
class LogNormal:
    """Most come soon, some late: what networks do, and what a faker with a little care copies."""

    median: float
    """Seconds."""
    sigma: float
    """Spread of the logarithm."""

    def __call__(self, chance: Random) -> float:
        """Draw seconds from a generator."""
        return self.median * math.exp(chance.gauss(0.0, self.sigma))

    def at(self, share: float) -> float:
        """Give the seconds within which this share, above 0 and below 1, has come."""
        return self.median * math.exp(self.sigma * _NORMAL.inv_cdf(share))


@attrs.frozen
class Uniform:
    """Any time between two bounds, each as often: no network is like this."""

    low: float
    """Seconds."""
    high: float

    def __call__(self, chance: Random) -> float:
        """Draw seconds from a generator."""
        return chance.uniform(self.low, self.high)

    def at(self, share: float) -> float:
        """Give the seconds within which this share, above 0 and below 1, has come."""
        return self.low + (self.high - self.low) * share


Latency = LogNormal | Uniform
"""Either family."""

INSTANT = LogNormal(0.05, 0.5)
"""Nobody asked a handset: the receipt was written when the message came."""
CONSTANT = Uniform(4.75, 5.25)
"""A timer of five seconds."""
EVEN = Uniform(3.0, 8.0)
"""A timer that somebody made less obvious."""
LIKE_A_NETWORK = LogNormal(3.0, 0.5)
"""What an honest network looks like on a good day."""
