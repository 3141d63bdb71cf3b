"""Feeds messages to the engine as room becomes free, and gives their outcomes back as they come.

One object serves one call of `submit_many`; messages are taken over in batches, and no task is
started for one.
"""

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from itertools import islice

import attrs
import trio

from whiteroute.engine.ledger import LedgerError
from whiteroute.engine.messages import Message, Outcome

from .submission import Told

__all__ = ["Intake", "Messages"]

Messages = Iterable[Message] | AsyncIterable[Message]

BATCH = 250
"""Messages taken over at once. Routing and writing them takes a few milliseconds, so that
enquire_links and receipts get their turn between batches; more would not be cheaper."""


@attrs.define(eq=False)
class Intake:
    """The state of one `submit_many`."""

    take: Callable[[Sequence[Message], Told], None]
    nursery: trio.Nursery
    """The engine's; reads an asynchronous source while outcomes are handed out."""
    in_flight: int
    _open: int = attrs.field(default=0, init=False)
    _told: deque[Outcome | LedgerError] = attrs.field(
        factory=deque[Outcome | LedgerError], init=False
    )
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    async def run(self, messages: Messages) -> AsyncIterator[Outcome]:
        """Take messages over and yield outcomes; see `Engine.submit_many`."""
        if self.in_flight < 1:
            raise ValueError(f"in_flight: {self.in_flight}, expected at least 1")
        if isinstance(messages, AsyncIterable):
            source: _Source = _AsyncSource(messages, self.in_flight, self._news)
            self.nursery.start_soon(source.read)
        else:
            source = _Source(iter(messages))
        try:
            while True:
                batch = source.next_batch(min(BATCH, self.in_flight - self._open))
                if batch:
                    self.take(batch, self._tell)
                    self._open += len(batch)
                while self._told:
                    told = self._told.popleft()
                    if isinstance(told, LedgerError):
                        raise told
                    yield told
                if batch:
                    # Without this a long synchronous source would hold up the links.
                    await trio.lowlevel.checkpoint()
                elif not self._open and source.is_exhausted:
                    if source.error is not None:
                        raise source.error
                    return
                else:
                    await self._news.park()
        finally:
            source.close()

    def _tell(self, told: Outcome | LedgerError) -> None:
        self._open -= 1
        self._told.append(told)
        self._news.unpark_all()


@attrs.define(eq=False)
class _Source:
    """Messages that are there for the asking."""

    messages: Iterator[Message]
    is_exhausted: bool = attrs.field(default=False, init=False)
    error: Exception | None = attrs.field(default=None, init=False)
    """What the source raised: raised again where the caller waits, once he has the outcomes of all
    that came before."""

    def next_batch(self, most: int) -> list[Message]:
        """Give at most `most` messages, fewer when no more are there now."""
        batch: list[Message] = []
        if self.is_exhausted:
            return batch
        try:
            for message in islice(self.messages, most):
                batch.append(message)  # noqa: PERF402 - `list` would lose what came before an error
        except Exception as error:  # noqa: BLE001 - raised again where the caller waits
            self.error = error
        self.is_exhausted = len(batch) < most
        return batch

    async def read(self) -> None:
        """Nothing has to be read ahead."""

    def close(self) -> None:
        """Nothing has to be stopped."""


class _AsyncSource(_Source):
    """Messages that come when they come: read ahead by a task, as far as the bound allows."""

    def __init__(
        self, messages: AsyncIterable[Message], ahead: int, news: trio.lowlevel.ParkingLot
    ) -> None:
        super().__init__(iter(()))
        self._source = messages
        self._ahead = ahead
        self._news = news
        self._buffer: deque[Message] = deque()
        self._room = trio.lowlevel.ParkingLot()
        self._scope = trio.CancelScope()
        self._is_read = False

    async def read(self) -> None:
        try:
            with self._scope:
                try:
                    await self._read()
                finally:
                    # One that was not read to its end would be left to the garbage collector.
                    if isinstance(self._source, AsyncGenerator):
                        await self._source.aclose()
        except Exception as error:  # noqa: BLE001 - raised again where the caller waits
            # The caller's own iterator failed, which is no reason for the engine to end.
            self.error = error
        finally:
            self._is_read = True
            self._news.unpark_all()

    async def _read(self) -> None:
        async for message in self._source:
            self._buffer.append(message)
            self._news.unpark_all()
            while len(self._buffer) >= self._ahead:
                await self._room.park()

    def next_batch(self, most: int) -> list[Message]:
        batch = [self._buffer.popleft() for _ in range(min(most, len(self._buffer)))]
        if batch:
            self._room.unpark_all()
        self.is_exhausted = self._is_read and not self._buffer
        return batch

    def close(self) -> None:
        self._scope.cancel()
