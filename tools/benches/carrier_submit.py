"""Sending through a carrier, as the bench `submit` sends over links: its queue, its pace, its learning.

The owner lets every part go at once and remembers nothing, so what is measured beside the links is what
feeding them costs.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random

import attrs
import trio

from whiteroute.engine.carrier import Carrier, CarrierSettings, Host, OutgoingPart
from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import Exchange, ExchangeEnd
from whiteroute.pdu import Pdu

from .senders import Address, Load, Sender, Stopwatch, message

__all__ = ["submit_by_carrier", "submit_in_order"]

QUEUED = 2
"""How many times what the windows hold waits in the queue; refilled as it runs low."""


@attrs.define(eq=False)
class _Owner:
    """Takes the answers, and puts as many new parts into the queue."""

    left: int
    """Parts that were not made yet."""
    unanswered: int
    """Parts that were not answered yet."""
    destinations: int
    is_done: trio.Event = attrs.field(factory=trio.Event)
    _numbers: "count[int]" = attrs.field(factory=count)

    def fill(self, carrier: Carrier, wanted: int) -> None:
        """Make messages and put them into the queue."""
        number = min(wanted, self.left)
        self.left -= number
        parts: list[OutgoingPart] = []
        for _ in range(number):
            place, pdu = next(self._numbers), message()
            if self.destinations:
                pdu.destination_addr = f"34600{place % self.destinations:06}"
            parts.append(OutgoingPart(str(place), 1, pdu))
        carrier.enqueue(parts)

    def write_ahead(
        self,
        carrier: Carrier,
        parts: list[OutgoingPart],
        go: Callable[[list[OutgoingPart]], None],
    ) -> None:
        """Let them go at once."""
        go(parts)

    def parts_ended(self, carrier: Carrier, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        """Count them, and make others."""
        for _, exchange in ended:
            assert exchange.end is ExchangeEnd.ANSWERED
        self.unanswered -= len(ended)
        if self.left:
            self.fill(carrier, len(ended))
        if not self.unanswered:
            self.is_done.set()

    def parts_not_written(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        """Say that the measurement is worth nothing."""
        raise AssertionError(f"{len(parts)} parts were not written, because a link was lost")

    def parts_expired(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        """Say that the measurement is worth nothing."""
        raise AssertionError(f"{len(parts)} parts expired, expected none")

    def parts_left(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        """Say that the measurement is worth nothing."""
        raise AssertionError(f"{len(parts)} parts came back, expected none")

    def late_response(self, carrier: Carrier, part: OutgoingPart, response: Pdu) -> None:
        """Say that the measurement is worth nothing."""
        raise AssertionError(f"{response.name} for {part.message_ref} came late, expected none")


async def _over_carrier(
    address: Address, load: Load, stopwatch: Stopwatch, destinations: int
) -> None:
    timers = Timers()
    owner = _Owner(load.messages, load.messages, destinations)
    is_bound = trio.Event()

    def arrived(_carrier: Carrier, _link: Link, pdus: list[Pdu]) -> None:
        raise AssertionError(f"{pdus[0].name} arrived, expected answers alone")

    def link_changed(_change: object) -> None:
        if carrier.statistics().bound == load.binds:
            is_bound.set()

    carrier = Carrier(
        CarrierSettings(
            name="bench",
            hosts=(Host(*address),),
            system_id="bench",
            binds=load.binds,
            window=load.window,
            keep_order=destinations > 0,
        ),
        owner=owner,
        arrived=arrived,
        link_changed=link_changed,
        timers=timers,
        random=Random(1),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        nursery.start_soon(carrier.run)
        await is_bound.wait()
        stopwatch()
        owner.fill(carrier, QUEUED * load.binds * load.window)
        await owner.is_done.wait()
        stopwatch()
        nursery.cancel_scope.cancel()


def _run(destinations: int, address: Address, load: Load, stopwatch: Stopwatch) -> None:
    trio.run(_over_carrier, address, load, stopwatch, destinations)


submit_by_carrier: Sender = partial(_run, 0)
"""Through a `Carrier` of so many binds, without a pace."""

submit_in_order: Sender = partial(_run, 100_000)
"""The same, with the order kept within each of many destinations."""
