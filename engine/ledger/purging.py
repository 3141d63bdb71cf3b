"""Purges while an engine runs: moments of milliseconds in the ledger's writer, with pauses between.

Whoever waits for one is told on the event loop; a purge itself waits for nobody and is forgotten by
nothing, because the store notes it before it begins.
"""

import time
from collections.abc import Callable
from math import inf
from typing import Final

import attrs
import trio

from .errors import LedgerError
from .purge import Purge, Purged
from .store import LedgerStore

__all__ = ["Order", "Purging"]

MOMENT: Final = 0.005
"""Seconds of purging at once: how much longer a record waits that comes meanwhile."""
PAUSE: Final = 0.05
"""Seconds between two such moments, which leaves nine tenths of the writer to everybody else."""


@attrs.define(weakref_slot=False, eq=False)
class Order:
    """A purge of which somebody wants to know the end."""

    purge: Purge
    done: trio.Event = attrs.field(factory=trio.Event)
    number: int | None = None
    """The store's; None until it has noted the purge."""
    purged: Purged | LedgerError | None = None


@attrs.define(eq=False)
class Purging:
    """The purges of one open ledger. `order`, `wait` and `end` are for the event loop, the rest for the
    writer.
    """

    store: LedgerStore
    tell: Callable[[Callable[[], object]], object]
    """Has something called on the event loop soon."""
    _orders: list[Order] = attrs.field(factory=list[Order], init=False)
    _is_wanted: bool = attrs.field(default=True, init=False)
    """At first, because an earlier owner may have begun something."""
    _ended_at: float = attrs.field(default=-inf, init=False)

    def order(self, purge: Purge) -> Order:
        """Take an order; the writer finds it at its next turn."""
        order = Order(purge)
        self._orders.append(order)
        self._is_wanted = True
        return order

    @staticmethod
    async def wait(order: Order) -> Purged:
        """Wait until a purge is done.

        Raises:
            LedgerError: The store cannot write now, or the ledger was closed first.
        """
        await order.done.wait()
        assert order.purged is not None
        if isinstance(order.purged, LedgerError):
            raise order.purged
        return order.purged

    def due(self) -> float | None:
        """Seconds until the next moment; None while there is nothing to purge."""
        if not self._is_wanted:
            return None
        return max(0.0, self._ended_at + PAUSE - time.perf_counter())

    def go_on(self) -> bool:
        """Purge for a moment; say whether there may be more to do."""
        if not self._is_wanted:
            return False
        try:
            # Before the orders are looked at: one that comes later sets it again.
            self._is_wanted = False
            for order in list(self._orders):
                if order.number is None:
                    order.number = self.store.begin_purge(order.purge)
            purged = self.store.purge_some(MOMENT)
        except LedgerError as error:
            # What is noted goes on with the next order, or the next owner.
            for order in list(self._orders):
                self._end(order, error)
            return False
        finally:
            self._ended_at = time.perf_counter()
        if purged is not None:
            self._is_wanted = True
            if purged.is_done:
                for order in [each for each in self._orders if each.number == purged.order]:
                    self._end(order, purged)
        return self._is_wanted

    def end(self) -> None:
        """Tell those who still wait that the ledger is closed."""
        for order in list(self._orders):
            self._orders.remove(order)
            order.purged = LedgerError(
                "closed while it was purged", "to be opened again, which goes on", self.store.where
            )
            order.done.set()

    def _end(self, order: Order, purged: Purged | LedgerError) -> None:
        self._orders.remove(order)
        order.purged = purged
        self.tell(order.done.set)
