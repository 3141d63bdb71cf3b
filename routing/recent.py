"""The recent finals of one route, counted block by block as they come.

Tests look at the last thousand or so. Kept one by one they would be counted anew in each round of
tests, which costs more than all else; so each block of a hundred is counted once, while it fills,
and a round only adds ten of them up. Only latencies are kept whole: every quantile and every spike
is then exact, and a sketch would save 8 KB per route, network and class.
"""

import math
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import attrs

from .networks import Network
from .settings import EvidenceSettings

LATE = 60.0
"""Seconds from which on a delivery counts as late: the handset was off or out of reach."""


@attrs.define(slots=True, weakref_slot=False)
class Block:
    """Counts of up to `EvidenceSettings.block` finals."""

    at: float = -math.inf
    """When the newest came."""
    finals: int = 0
    """With a receipt."""
    missing: int = 0
    tail: int = 0
    """Failed or late."""
    named: int = 0
    """Receipts that name a network."""
    elsewhere: int = 0
    """Of these, another one than the number belongs to."""
    early: int = 0
    """Receipts that came before the response."""
    dated: int = 0
    """Receipts with both dates."""
    instant: int = 0
    """Of these, both the same."""
    errors: Counter[str] = attrs.field(factory=Counter[str])
    """Failures by canonical error; empty for none."""
    latencies: list[float] = attrs.field(factory=list[float])
    """Of deliveries, in seconds."""


@attrs.frozen(kw_only=True)
class Window:
    """What the tests look at."""

    route_id: str
    network: Network | None
    """None for all networks of a country taken together."""
    settings: EvidenceSettings
    counts: Block
    """All blocks added up; its latencies ascend."""

    @property
    def latencies(self) -> Sequence[float]:
        """Of deliveries, ascending."""
        return self.counts.latencies


@attrs.define(eq=False, slots=True)
class Recent:
    """As many blocks as the tests look at, the newest last."""

    settings: EvidenceSettings
    blocks: deque[Block] = attrs.field(init=False, factory=deque[Block])
    _room: int = attrs.field(init=False, default=0)
    """How many more finals the newest block takes."""

    def add_missing(self, now: float) -> None:
        """A message whose final receipt never came."""
        block = self._filling(now)
        block.missing += 1

    def add(
        self,
        now: float,
        delivered: bool,
        latency: float | None,
        error: str | None,
        elsewhere: bool | None,
        early: bool,
        instant: bool | None,
    ) -> None:
        """A final receipt; what it does not tell is None."""
        block = self._filling(now)
        block.finals += 1
        if delivered:
            if latency is not None:
                block.latencies.append(latency)
                if latency > LATE:
                    block.tail += 1
        else:
            block.tail += 1
            block.errors[error or ""] += 1
        if elsewhere is not None:
            block.named += 1
            block.elsewhere += elsewhere
        if early:
            block.early += 1
        if instant is not None:
            block.dated += 1
            block.instant += instant

    def _filling(self, now: float) -> Block:
        if self._room:
            self._room -= 1
            block = self.blocks[-1]
        else:
            settings = self.settings
            self._room = settings.block - 1
            block = Block()
            self.blocks.append(block)
            if len(self.blocks) > -(-settings.window // settings.block):
                self.blocks.popleft()
        block.at = now
        return block

    def sum(self, now: float) -> Block:
        """All of it in one; blocks that are too old are forgotten for good."""
        blocks = self.blocks
        while blocks and now - blocks[0].at > self.settings.window_age:
            blocks.popleft()
        if not blocks:
            self._room = 0
        total = Block()
        for block in blocks:
            total.at = block.at
            total.finals += block.finals
            total.missing += block.missing
            total.tail += block.tail
            total.named += block.named
            total.elsewhere += block.elsewhere
            total.early += block.early
            total.dated += block.dated
            total.instant += block.instant
            total.errors.update(block.errors)
            total.latencies += block.latencies
        total.latencies.sort()
        return total

    def clear(self) -> None:
        """Forget everything."""
        self.blocks.clear()
        self._room = 0

    def dump(self) -> list[object]:
        """The blocks and the room in the newest, as JSON can hold them."""
        return [self._room, [attrs.asdict(block) for block in self.blocks]]

    def load(self, stored: list[Any], shift: float) -> None:
        """Take what `dump` gave, `shift` seconds added to every instant."""
        self._room, blocks = stored
        for each in blocks:
            moved = {"at": each["at"] + shift, "errors": Counter(each["errors"])}
            self.blocks.append(Block(**(each | moved)))
