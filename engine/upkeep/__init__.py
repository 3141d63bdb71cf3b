"""How a carrier's binds are kept: what to try next, how long to wait first, how fast to go.

Pure: `now` and the jitter come in, decisions go out; `engine.carrier` acts on them.
"""

from .backoff import Backoff, BindFailure, failure_of

__all__ = ["Backoff", "BindFailure", "failure_of"]
