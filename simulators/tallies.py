"""What behaviours count, since they are values and keep nothing themselves."""

from collections.abc import Hashable

import attrs


@attrs.define(eq=False)
class Tally:
    """What one behaviour counts."""

    count: int = 0
    since: float = float("-inf")
    """When counting started, in seconds of `trio.current_time`."""


@attrs.define(eq=False)
class Tallies:
    """A tally for each behaviour that asks for one."""

    _tallies: dict[Hashable, Tally] = attrs.field(factory=dict, init=False)

    def of(self, behaviour: Hashable) -> Tally:
        """Give the behaviour's tally, new at first."""
        return self._tallies.setdefault(behaviour, Tally())
