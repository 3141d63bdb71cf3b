"""Marks on open lines: what a store has still to do with each of them."""

from enum import Enum, auto

__all__ = ["Mark"]


class Mark(Enum):
    """What a store still has to do with a line."""

    CLEAN = auto()
    NEW = auto()
    CHANGED = auto()
