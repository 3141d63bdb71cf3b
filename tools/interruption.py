"""SIGINT and SIGTERM as the wish to stop: work is cancelled, and what must be brought to an end is.

A second signal while the end is being made changes nothing, so that an answer is not lost to haste.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import attrs
import trio


@attrs.define(eq=False)
class Interruption:
    """Whether somebody wants an end; made by `open_interruption`."""

    _signals: AsyncIterator[int]
    happened: bool = attrs.field(default=False, init=False)

    async def run(self, work: Callable[[], Awaitable[object]]) -> None:
        """Run something until it is done, or until the first signal cancels it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, nursery.cancel_scope)
            await work()
            nursery.cancel_scope.cancel()

    async def _watch(self, scope: trio.CancelScope) -> None:
        async for _ in self._signals:
            self.happened = True
            scope.cancel()


@contextmanager
def open_interruption() -> Iterator[Interruption]:
    """Take signals for as long as the block lasts; put what must be ended in order inside it."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        yield Interruption(signals)
