"""Who listens to the engine's events, each with a buffer of bounded size.

A listener that is slow never holds up a link: once its buffer is full, carriers are told to deliver
again later, and what was acknowledged before is in the ledger anyway.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterable
from weakref import WeakSet

import attrs
import trio

from .events import EngineEvent

__all__ = ["Subscriptions"]

BUFFERED_EVENTS = 10_000
"""Events one listener may be behind: some seconds at the rate of a busy carrier, about 10 MB."""


@attrs.define(eq=False)
class _Listener(AsyncIterator[EngineEvent]):
    """What one listener has not heard yet.

    No generator: one that is left with `break` would be finished by the garbage collector only.
    """

    events: deque[EngineEvent] = attrs.field(factory=deque[EngineEvent])
    is_over: bool = False
    news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    async def __anext__(self) -> EngineEvent:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.events:
            if self.is_over:
                raise StopAsyncIteration
            await self.news.park()
        return self.events.popleft()


@attrs.define(eq=False)
class Subscriptions:
    """Hands each event to every listener."""

    # Only the listener itself keeps its buffer alive, so one that was dropped, iterated or not,
    # cannot fill up and hold off the carriers for ever.
    _listeners: "WeakSet[_Listener]" = attrs.field(factory=WeakSet, init=False)
    _is_over: bool = attrs.field(default=False, init=False)

    @property
    def has_listeners(self) -> bool:
        """Whether anybody listens now."""
        return bool(self._listeners) and not self._is_over

    @property
    def are_full(self) -> bool:
        """Whether some listener can take no more deliveries now."""
        return any(len(listener.events) >= BUFFERED_EVENTS for listener in self._listeners)

    def publish(self, events: Iterable[EngineEvent]) -> None:
        """Give events to all listeners, in order."""
        if not self._listeners:
            return
        events = tuple(events)
        for listener in self._listeners:
            listener.events.extend(events)
            listener.news.unpark_all()

    def listen(self) -> AsyncIterator[EngineEvent]:
        """Start listening now, even before the first `async for` step."""
        listener = _Listener(is_over=self._is_over)
        self._listeners.add(listener)
        return listener

    def close(self) -> None:
        """Say that nothing more will come; listeners end once they have heard what there is."""
        self._is_over = True
        for listener in self._listeners:
            listener.is_over = True
            listener.news.unpark_all()
