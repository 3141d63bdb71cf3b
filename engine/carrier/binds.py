"""All binds of one account: as many as are wanted, each in the way the account asks for binds now.

Each has a keeper, or a pair of them; what they share is in `account`.
"""

from itertools import count

import attrs
import trio

from .account import BIND_MODES, Account
from .keeper import Keeper
from .news import BindPhase, BindStatistics
from .outbind import OutbindListener

__all__ = ["Binds"]


@attrs.define(eq=False)
class _Slot:
    """One wanted bind, or the pair in its place."""

    keepers: tuple[Keeper, ...] = ()
    is_ending: bool = False


@attrs.define(eq=False)
class Binds:
    """Keeps the binds of an account while `run` runs."""

    account: Account
    _slots: dict[int, _Slot] = attrs.field(factory=dict[int, _Slot], init=False)
    """Those wanted, by number."""
    _leaving: set[int] = attrs.field(factory=set[int], init=False)
    """The numbers of those that have not ended yet."""
    _nursery: trio.Nursery | None = attrs.field(default=None, init=False)

    async def run(self) -> None:
        """Keep the binds until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            if self.account.settings.outbind is not None:
                nursery.start_soon(OutbindListener(self.account).run)
            self.resize()
            await trio.sleep_forever()

    def resize(self) -> None:
        """Start and end binds until there are as many as the settings want.

        Those that end give up what they have in flight to its answers first; until then their numbers
        are theirs, so that no two links are called the same.
        """
        if self._nursery is None:
            return
        wanted = self.account.settings.binds
        while len(self._slots) < wanted:
            number = next(
                each for each in count(1) if each not in self._slots and each not in self._leaving
            )
            self._slots[number] = _Slot()
            self._nursery.start_soon(self._fill, number, self._slots[number])
        while len(self._slots) > wanted:
            number = max(self._slots)
            slot = self._slots.pop(number)
            self._leaving.add(number)
            slot.is_ending = True
            for keeper in slot.keepers:
                keeper.end()

    def forget(self) -> None:
        """Have every bind tried at once that is not up, whatever came before."""
        self.account.refused = None
        self.account.round.forget()
        self.account.wake()

    def keeps(self, name: str) -> bool:
        """Whether one of the wanted binds is called so."""
        return any(keeper.name == name for keeper in self._keepers)

    def statistics(self) -> tuple[BindStatistics, ...]:
        """Give how each wanted bind is, and each that the message centre asked for."""
        called = (
            BindStatistics(held.name, BindPhase.BOUND, held.bound_at, held.host)
            for held in self.account.links.values()
            if held.rung is None and held.bound_at is not None
        )
        return (*(keeper.statistics() for keeper in self._keepers), *called)

    @property
    def _keepers(self) -> tuple[Keeper, ...]:
        return tuple(keeper for slot in self._slots.values() for keeper in slot.keepers)

    async def _fill(self, number: int, slot: _Slot) -> None:
        """Keep one wanted bind, by other keepers each time that the account asks in another way."""
        account = self.account
        while not slot.is_ending and not account.is_ending:
            mode = account.ladder.rung.mode
            slot.keepers = tuple(
                Keeper(account, f"{account.settings.name}/{number}{suffix}", bind_class, mode)
                for suffix, bind_class in BIND_MODES[mode]
            )
            async with trio.open_nursery() as nursery:
                for keeper in slot.keepers:
                    nursery.start_soon(keeper.run)
        self._leaving.discard(number)
