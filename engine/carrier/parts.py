"""A part of a message on its way to a carrier: its PDU, its attempts, and what is unsure about them."""

from copy import copy
from math import inf

import attrs

from whiteroute.pdu import SubmitSm

__all__ = ["OutgoingPart"]


@attrs.define(slots=True, weakref_slot=False, eq=False)
class OutgoingPart:
    """One part of a message on its way to a carrier."""

    message_ref: str
    part: int
    """Counts from 1."""
    pdu: SubmitSm
    attempt: int = 1
    """Counts from 1; raised for each new try."""
    expires_at: float = inf
    """On Trio's clock; not sent after it."""
    doubts: int = 0
    """How many of its attempts may have been accepted although nobody said so."""
    window_was_full: bool = False
    """Whether it was refused with ESME_RSUBMITFAIL when as many requests were open as may be, which
    some message centres mean by that."""
    road: int = 0
    """How many routes its message was on before. One that still waits when its message goes another way
    is not sent any more."""

    def again(self, *, doubted: bool = False) -> "OutgoingPart":
        """Make the next attempt of this part.

        It is another object with another PDU, because a late response to this one still comes with
        this one.
        """
        return attrs.evolve(
            self,
            pdu=copy(self.pdu),
            attempt=self.attempt + 1,
            doubts=self.doubts + doubted,
            window_was_full=False,
        )
