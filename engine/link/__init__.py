"""A bind's shell, from its stream to its owner: the front door of `engine.link`."""

from .link import FLUSH_TIMEOUT, STALL_TIMEOUT, Link, Observer, Owner, open_link
from .ordered import OrderedExchanges
from .timers import Timers

__all__ = [
    "FLUSH_TIMEOUT",
    "STALL_TIMEOUT",
    "Link",
    "Observer",
    "OrderedExchanges",
    "Owner",
    "Timers",
    "open_link",
]
