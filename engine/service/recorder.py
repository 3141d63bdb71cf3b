"""Writes down what was observed, for as long as it takes: it cannot be observed again.

What may be refused while the ledger cannot write (messages, attempts, receipts) does not come here;
whoever asked for that is told.
"""

from collections.abc import Callable

import attrs
import trio

from whiteroute.engine.ledger import Committed, Ledger, LedgerError
from whiteroute.engine.messages import Effect, Entry

__all__ = ["LEDGER_RETRY_DELAY", "Recorder"]

LEDGER_RETRY_DELAY = 1.0
"""Seconds until the ledger is asked again after it could not write."""


@attrs.define(eq=False, kw_only=True)
class Recorder:
    """Insists until it is closed."""

    kept: Ledger
    nursery: trio.Nursery
    """Where to wait between two tries."""
    _is_closed: bool = attrs.field(default=False, init=False)

    def record(
        self, entries: list[Entry], then: Callable[[list[Effect]], None] | None = None
    ) -> None:
        """Write entries, and call `then` with their effects once they are on disk."""

        def committed(result: Committed) -> None:
            if not isinstance(result, LedgerError):
                if then is not None:
                    then(result)
            elif not self._is_closed:
                self.nursery.start_soon(self._again, entries, then)

        self.kept.append(entries, committed)

    def close(self) -> None:
        """Let what waits be tried once more as the nursery ends, and no more after that.

        Attempts whose outcome was not written then are in doubt when the ledger is opened again.
        """
        self._is_closed = True

    async def _again(
        self, entries: list[Entry], then: Callable[[list[Effect]], None] | None
    ) -> None:
        try:
            await trio.sleep(LEDGER_RETRY_DELAY)
        finally:
            self.record(entries, then)
