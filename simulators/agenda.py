"""What is due when, for everything a message centre does later: one heap, no task per message.

It decides nothing; it calls back, in the order of due times and, at the same time, of asking.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf

import attrs
import trio
from trio.lowlevel import ParkingLot

Action = Callable[[float], None]
"""Called with the present time in seconds of `trio.current_time`; it must not wait."""


@attrs.define(eq=False)
class Agenda:
    """Callbacks by due time.

    `run` alone would do, but among many busy readers a single task gets too few turns: measured, it
    sent a fifth of the receipts that were due at ten binds. So each session's own pass calls
    `run_due` as well.
    """

    _entries: list[tuple[float, int, Action]] = attrs.field(factory=list, init=False)
    _finishing: dict[Callable[[], None], None] = attrs.field(factory=dict, init=False)
    _order: "count[int]" = attrs.field(factory=count, init=False)
    _sleeper: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _sleeps_until: float = attrs.field(default=inf, init=False)

    def at(self, due: float, action: Action) -> None:
        """Have `action` called at `due`, in seconds of `trio.current_time`, or soon after."""
        heappush(self._entries, (due, next(self._order), action))
        if due < self._sleeps_until:
            self._sleeper.unpark_all()

    def at_end(self, action: Callable[[], None]) -> None:
        """Have `action` called once at the end of this pass, or of the next one if none is under way."""
        self._finishing[action] = None
        self._sleeper.unpark_all()

    def run_due(self, now: float) -> None:
        """Call what is due, and then what was to be done at the end."""
        entries = self._entries
        while entries and entries[0][0] <= now:
            heappop(entries)[2](now)
        if self._finishing:
            finishing, self._finishing = self._finishing, {}
            for action in finishing:
                action()

    async def run(self) -> None:
        """Call what is due as it becomes due, until cancelled."""
        while True:
            self.run_due(trio.current_time())
            self._sleeps_until = self._entries[0][0] if self._entries else inf
            with trio.CancelScope(deadline=self._sleeps_until):
                await self._sleeper.park()

    def __len__(self) -> int:
        """Tell how many actions are still to come."""
        return len(self._entries)
