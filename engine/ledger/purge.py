"""What is to be taken out of a ledger, and how much of that was there.

By number: every trace of one subscriber. Lines stay, so that sums stay right; number, words and octets
go, and tags but for the campaign. By age: whole lines of what is over.
"""

from collections.abc import Mapping

import attrs

__all__ = ["Purge", "Purged"]


@attrs.frozen(kw_only=True)
class Purge:
    """One order to purge.

    Raises:
        ValueError: It names neither a number nor an age, or both, or a number too short for one.
    """

    begun_at: int
    """Now, in microseconds since the epoch."""
    number: str = attrs.field(default="", repr=False)
    """A subscriber's, in international form. What may still be sent to it is left alone, and counted
    in `Purged.left`; messages from it that nobody has acknowledged are not told any more."""
    before_at: int = 0
    """What was over before this microsecond goes: finished messages with their attempts and receipts,
    other receipts, and acknowledged messages from handsets. Never what is open. A message_ref that
    is gone is not known any more: a message of that ref would be sent again."""

    def __attrs_post_init__(self) -> None:
        if bool(self.number) is bool(self.before_at):
            raise ValueError("purge: expected either a number or a time")
        if self.number and sum(map(str.isdecimal, self.number)) < _FEWEST_DIGITS:
            raise ValueError(f"number: too short, expected {_FEWEST_DIGITS} digits or more")


_FEWEST_DIGITS = 7


@attrs.frozen(kw_only=True)
class Purged:
    """How far a purge is, or how much it would find."""

    order: int = 0
    """The store's number for the purge; 0 for what was only counted."""
    messages: int = 0
    receipts: int = 0
    inbound: int = 0
    """Single segments."""
    conversations: int = 0
    """Messages from handsets, put together."""
    left: int = 0
    """Messages of that number that may still be sent."""
    is_done: bool = False

    def plus(self, counts: Mapping[str, int]) -> "Purged":
        """Add what was found just now."""
        return attrs.evolve(
            self, **{name: getattr(self, name) + more for name, more in counts.items()}
        )
