"""How a carrier's binds are kept: what to try next, how long to wait first, how fast to go.

Pure: `now` and the jitter come in, decisions go out; `engine.carrier` acts on them.
"""

from .backoff import Backoff, BindFailure, failure_of
from .ceiling import Ceiling, CeilingChange
from .evenly import spread
from .hosts import STEADY_TIME, BindAttempts, HostRound, Turn
from .ladder import BindMode, Ladder, Rung
from .lanes import Lanes

__all__ = [
    "STEADY_TIME",
    "Backoff",
    "BindAttempts",
    "BindFailure",
    "BindMode",
    "Ceiling",
    "CeilingChange",
    "HostRound",
    "Ladder",
    "Lanes",
    "Rung",
    "Turn",
    "failure_of",
    "spread",
]
