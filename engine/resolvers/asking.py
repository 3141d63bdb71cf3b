"""Asking somebody about numbers: once for each at a time, not too many at once, not for too long.

What was answered is remembered, also that nobody knows a number; what it is worth by its age is for
the routing gate to say, so an old answer is given as it is, with its age.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import attrs
import trio

from whiteroute.routing import NetworkInfo

__all__ = ["AskingResolver", "AskingStatistics", "Inquiry", "InquiryError"]

NOBODY_KNOWS_FOR = 600.0
"""Seconds for which it is believed that a number has no network: numbers are issued and ported."""


class InquiryError(Exception):
    """Nobody answered, or nothing that can be understood. Its text never holds the number."""


class Inquiry(Protocol):
    """One way of asking about one number."""

    async def ask(self, msisdn: str) -> NetworkInfo | None:
        """Ask.

        Args:
            msisdn: Digits with country code, without plus.

        Returns:
            What was answered, with its `source`; None when the answer is that nobody knows it.

        Raises:
            InquiryError: There was no answer.
        """
        ...


@attrs.frozen(kw_only=True)
class AskingStatistics:
    """How asking goes."""

    remembered: int
    asking: int
    """Numbers that are being asked about now."""
    asked: int
    failed: int
    """Of these, without an answer."""


@attrs.define(eq=False, kw_only=True, repr=False)
class AskingResolver:
    """A `NetworkResolver` that asks, and remembers."""

    inquiry: Inquiry
    clock: Callable[[], datetime]
    """Gives the present instant, aware."""
    most: int = 100_000
    """Numbers remembered; about 300 octets each. The one not used for longest goes first."""
    at_once: int = 32
    """Numbers asked about at once; beyond it one waits for one's turn, within `timeout`."""
    timeout: float = 2.0
    """Seconds for an answer, waiting for one's turn included: who waits longer for a network loses more
    than a message that is sent on what is known."""
    _known: OrderedDict[str, tuple[NetworkInfo | None, datetime]] = attrs.field(
        factory=OrderedDict[str, tuple[NetworkInfo | None, datetime]], init=False
    )
    _asking: dict[str, trio.Event] = attrs.field(factory=dict[str, trio.Event], init=False)
    _limiter: trio.CapacityLimiter = attrs.field(init=False)
    _asked: int = attrs.field(default=0, init=False)
    _failed: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._limiter = trio.CapacityLimiter(self.at_once)

    def cached(self, msisdn: str) -> NetworkInfo | None:
        """The last answer, however old; None if there was none, or that nobody knows the number."""
        known = self._known.get(msisdn)
        if known is None:
            return None
        self._known.move_to_end(msisdn)
        return known[0]

    async def resolve(self, msisdn: str) -> NetworkInfo | None:
        """Give an answer that is still fresh, asking if need be.

        Returns:
            The answer; without one in time, the last one that there was.
        """
        with trio.move_on_after(self.timeout):
            while not self._is_fresh(msisdn):
                asking = self._asking.get(msisdn)
                if asking is None:
                    await self._ask(msisdn)
                    break
                # Who asks may be cancelled; then the next in line asks.
                await asking.wait()
        return self.cached(msisdn)

    def forget(self, msisdn: str) -> None:
        """Do not believe the last answer any more: a receipt says that the number has moved."""
        self._known.pop(msisdn, None)

    def statistics(self) -> AskingStatistics:
        """Give the figures as they are now."""
        return AskingStatistics(
            remembered=len(self._known),
            asking=len(self._asking),
            asked=self._asked,
            failed=self._failed,
        )

    def __repr__(self) -> str:
        return f"<AskingResolver, {len(self._known)} numbers known, {self._failed} of {self._asked} failed>"

    def _is_fresh(self, msisdn: str) -> bool:
        known = self._known.get(msisdn)
        if known is None:
            return False
        info, at = known
        ttl = NOBODY_KNOWS_FOR if info is None else info.ttl
        return ttl is None or (self.clock() - at).total_seconds() <= ttl

    async def _ask(self, msisdn: str) -> None:
        told = self._asking[msisdn] = trio.Event()
        is_answered = False
        self._asked += 1
        try:
            async with self._limiter:
                info = await self.inquiry.ask(msisdn)
            is_answered = True
            at = self.clock()
            self._known[msisdn] = (info and attrs.evolve(info, obtained_at=at), at)
            self._known.move_to_end(msisdn)
            if len(self._known) > self.most:
                self._known.popitem(last=False)
        except InquiryError:
            pass
        finally:
            self._failed += not is_answered
            del self._asking[msisdn]
            told.set()
