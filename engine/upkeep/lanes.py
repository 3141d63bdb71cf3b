"""Who may go to which destination: one at a time, in the order in which they asked.

For accounts whose messages to one destination must not overtake each other. It knows nothing of
carriers or clocks: a destination is a key, and whoever asks is any object that tells itself apart by a
name which stays the same from one try to the next.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import attrs

__all__ = ["Lanes"]

T = TypeVar("T")


@attrs.define(slots=True, eq=False)
class _Lane(Generic[T]):
    """One destination that somebody is on the way to."""

    holder: object
    """The name of who is on the way, from his first try until he is done."""
    waiting: deque[T] | None = None
    """Who comes after him; None until somebody does, because mostly nobody does."""


@attrs.define(eq=False)
class Lanes(Generic[T]):
    """One lane for each destination that somebody is on the way to; nothing is kept for the others.

    Everything takes the same time however many wait, but for `take_out`, which looks at all.
    """

    name_of: Callable[[T], object]
    """What tells one who asks from another, and is the same each time he tries."""
    _lanes: dict[str, _Lane[T]] = attrs.field(factory=dict, init=False)
    _waiting: int = attrs.field(default=0, init=False)

    def enter(self, destination: str, one: T) -> bool:
        """Ask to go to a destination.

        Returns:
            True: he may go, for the first time or once more, and holds the lane until `leave`.
            False: another one is on the way; he waits here, and `leave` will name him.
        """
        lane = self._lanes.get(destination)
        name = self.name_of(one)
        if lane is None:
            self._lanes[destination] = _Lane(name)
            return True
        if lane.holder == name:
            return True
        if lane.waiting is None:
            lane.waiting = deque()
        lane.waiting.append(one)
        self._waiting += 1
        return False

    def leave(self, destination: str, one: T) -> T | None:
        """Note that one is done: he has arrived, or was given up.

        Returns:
            Who holds the lane from now on and may go; None when nobody waits, or when it was not his
            lane any more, so that it may be said more than once.
        """
        lane = self._lanes.get(destination)
        if lane is None or lane.holder != self.name_of(one):
            return None
        if not lane.waiting:
            del self._lanes[destination]
            return None
        following = lane.waiting.popleft()
        lane.holder = self.name_of(following)
        self._waiting -= 1
        return following

    def take_out(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Give those waiting that are not wanted any more, and forget them; holders stay."""
        taken: list[T] = []
        for lane in self._lanes.values():
            if lane.waiting:
                out = [one for one in lane.waiting if unwanted(one)]
                if out:
                    lane.waiting = deque(one for one in lane.waiting if not unwanted(one))
                    taken += out
        self._waiting -= len(taken)
        return taken

    def __iter__(self) -> Iterator[T]:
        """Go through those who wait, lane by lane."""
        for lane in self._lanes.values():
            yield from lane.waiting or ()

    def __len__(self) -> int:
        """Tell how many wait."""
        return self._waiting
