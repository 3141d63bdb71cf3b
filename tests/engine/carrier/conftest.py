"""What the tests of a carrier share: an owner that notes everything, and a carrier that runs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.carrier import Carrier, CarrierSettings, Host, LinkChange, OutgoingPart
from whiteroute.engine.link import Link, Timers
from whiteroute.engine.profile import CarrierProfile, PaceOptions
from whiteroute.engine.session import Exchange
from whiteroute.engine.upkeep import CeilingChange
from whiteroute.pdu import CommandStatus, Pdu, SubmitSm

Make = Callable[..., Any]


@attrs.define(eq=False)
class NotingOwner:
    """Lets every part go when the loop comes round, and notes what it hears."""

    ended: list[tuple[OutgoingPart, Exchange]] = attrs.field(factory=list)
    unwritten: list[OutgoingPart] = attrs.field(factory=list)
    expired: list[OutgoingPart] = attrs.field(factory=list)
    left: list[OutgoingPart] = attrs.field(factory=list)
    late: list[tuple[OutgoingPart, Pdu]] = attrs.field(factory=list)
    changes: list[tuple[float, LinkChange]] = attrs.field(factory=list)
    asked: list[tuple[float, list[OutgoingPart]]] = attrs.field(factory=list)
    arrived: list[Pdu] = attrs.field(factory=list)
    holds: bool = False
    """Whether what is asked for has to wait for `let_go`."""
    held: list[Callable[[], None]] = attrs.field(factory=list)
    news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    def write_ahead(self, _carrier: Carrier, parts: list[OutgoingPart], go: Any) -> None:
        self.asked.append((trio.current_time(), parts))
        if self.holds:
            self.held.append(lambda: go(parts))
        else:
            trio.lowlevel.current_trio_token().run_sync_soon(go, parts)

    def let_go(self) -> None:
        held, self.held = self.held, []
        for each in held:
            each()

    def parts_ended(self, _carrier: Carrier, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        self.ended += ended
        self.news.unpark_all()

    def parts_not_written(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        self.unwritten += parts
        self.news.unpark_all()

    def parts_expired(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        self.expired += parts
        self.news.unpark_all()

    def parts_left(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        self.left += parts

    def late_response(self, _carrier: Carrier, part: OutgoingPart, response: Pdu) -> None:
        self.late.append((part, response))

    def take(self, _carrier: Carrier, link: Link, pdus: list[Pdu]) -> None:
        self.arrived += pdus
        self.news.unpark_all()

    def link_changed(self, change: LinkChange) -> None:
        self.changes.append((trio.current_time(), change))
        self.news.unpark_all()

    async def wait(self, until: Callable[[], bool]) -> None:
        while not until():
            await self.news.park()

    async def wait_change(self, what: str, times: int = 1) -> LinkChange:
        """Wait until a bind has come to this so many times."""
        await self.wait(lambda: len(self.of(what)) >= times)
        return self.of(what)[times - 1]

    def of(self, what: str) -> list[LinkChange]:
        return [change for _, change in self.changes if change.what == what]

    def times(self, what: str) -> list[float]:
        return [at for at, change in self.changes if change.what == what]


@pytest.fixture
def owner() -> NotingOwner:
    return NotingOwner()


@pytest.fixture
def open_carrier(owner: NotingOwner) -> Make:
    """Run a carrier on some ports; the rest goes into its settings."""

    @asynccontextmanager
    async def opened(*ports: int, **account: Any) -> AsyncIterator[Carrier]:
        timers = Timers()
        own = ("open_stream", "observer", "learned_tps", "ceiling_changed")
        fields = {name: account.pop(name) for name in own if name in account}
        hosts = account.pop("hosts", tuple(Host("127.0.0.1", port) for port in ports))
        carrier = Carrier(
            CarrierSettings(name="acme", hosts=hosts, system_id="gateway", **account),
            owner=owner,
            arrived=owner.take,
            link_changed=owner.link_changed,
            timers=timers,
            random=Random(1),
            **fields,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            nursery.start_soon(carrier.run)
            yield carrier
            nursery.cancel_scope.cancel()

    return opened


@pytest.fixture
def parts() -> Make:
    """Make some parts, whose texts are their numbers."""
    return make_parts


def make_parts(number: int, **fields: Any) -> list[OutgoingPart]:
    return [
        OutgoingPart(
            f"m-{each}",
            1,
            SubmitSm(
                source_addr="ACME",
                destination_addr="34600111222",
                registered_delivery=0,
                short_message=str(each).encode(),
            ),
            **fields,
        )
        for each in range(number)
    ]


@pytest.fixture
def no_port() -> Callable[[], Awaitable[int]]:
    """Find a port at which nobody listens."""
    return find_no_port


async def find_no_port() -> int:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port: int = listener.socket.getsockname()[1]
    await listener.aclose()
    return port


# For what is paced and kept in order.

AGAIN = {CommandStatus.ESME_RTHROTTLED: 1.0, CommandStatus.ESME_RMSGQFUL: 1.0}
"""Seconds after which a part is tried again."""


@attrs.define(eq=False)
class PersistentOwner:
    """Writes ahead in `disk` seconds, and tries again what was throttled, until it is taken."""

    sleep: Callable[[float], Awaitable[None]]
    """On a virtual clock."""
    disk: float = 0.0
    """Seconds to remember parts; 0: at once."""
    accepted: list[OutgoingPart] = attrs.field(factory=list)
    refused: list[tuple[OutgoingPart, int]] = attrs.field(factory=list)
    """Each refusal, tried again or not."""
    lost: list[OutgoingPart] = attrs.field(factory=list)
    unwritten: list[OutgoingPart] = attrs.field(factory=list)
    expired: list[OutgoingPart] = attrs.field(factory=list)
    left: list[OutgoingPart] = attrs.field(factory=list)
    ceilings: list[CeilingChange] = attrs.field(factory=list)
    nursery: trio.Nursery | None = None
    news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    def write_ahead(self, _carrier: Carrier, parts: list[OutgoingPart], go: Any) -> None:
        if not self.disk:
            go(parts)
            return

        async def write() -> None:
            await self.sleep(self.disk)
            go(parts)

        assert self.nursery is not None
        self.nursery.start_soon(write)

    def parts_ended(self, carrier: Carrier, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        for part, exchange in ended:
            status = exchange.command_status
            if status == 0:
                self.accepted.append(part)
                continue
            if status is None:
                self.lost.append(part)
            else:
                self.refused.append((part, status))
            if status in AGAIN:
                carrier.enqueue_later(part.again(), AGAIN[CommandStatus(status)])
            else:
                carrier.done_with(part)
        self.news.unpark_all()

    def parts_not_written(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        self.unwritten += parts
        for part in parts:
            carrier.enqueue_later(part.again(), 0.0)

    def parts_expired(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        self.expired += parts
        self.news.unpark_all()

    def parts_left(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        self.left += parts

    def late_response(self, _carrier: Carrier, part: OutgoingPart, response: Pdu) -> None:
        raise AssertionError("these peers answer in time or never")

    def take(self, _carrier: Carrier, _link: Link, _pdus: list[Pdu]) -> None:
        raise AssertionError("these peers send nothing")

    def link_changed(self, _change: LinkChange) -> None:
        self.news.unpark_all()

    async def wait(self, until: Callable[[], bool]) -> None:
        while not until():
            await self.news.park()


@pytest.fixture
def persistent(autojump_clock: Any) -> PersistentOwner:
    """An owner that tries again."""
    return PersistentOwner(trio.sleep)


@pytest.fixture
def open_account(persistent: PersistentOwner) -> Make:
    """Run a carrier on a port until it is bound; options of its pace and its settings by name."""

    @asynccontextmanager
    async def opened(
        port: int, *, learned_tps: float | None = None, **given: Any
    ) -> AsyncIterator[Carrier]:
        paced = {field.name for field in attrs.fields(PaceOptions)}
        pace = PaceOptions(**{name: value for name, value in given.items() if name in paced})
        account = {name: value for name, value in given.items() if name not in paced}
        profile = attrs.evolve(account.pop("profile", CarrierProfile()), pace=pace)
        timers = Timers()
        carrier = Carrier(
            CarrierSettings(
                name="acme",
                hosts=(Host("127.0.0.1", port),),
                system_id="gateway",
                profile=profile,
                **account,
            ),
            owner=persistent,
            arrived=persistent.take,
            link_changed=persistent.link_changed,
            ceiling_changed=persistent.ceilings.append,
            learned_tps=learned_tps,
            timers=timers,
            random=Random(1),
        )
        async with trio.open_nursery() as nursery:
            persistent.nursery = nursery
            nursery.start_soon(timers.run)
            nursery.start_soon(carrier.run)
            await persistent.wait(lambda: carrier.statistics().bound == carrier.settings.binds)
            yield carrier
            nursery.cancel_scope.cancel()

    return opened


@pytest.fixture
def messages() -> Make:
    """Make the parts of some messages, to the destinations in turn."""

    def make(
        number: int, *destinations: str, parts: int = 1, ref: str = "m", **fields: Any
    ) -> list[OutgoingPart]:
        to = destinations or ("34600111222",)
        return [
            OutgoingPart(
                f"{ref}-{message}",
                part,
                SubmitSm(
                    source_addr="ACME",
                    destination_addr=to[message % len(to)],
                    registered_delivery=0,
                    short_message=f"{ref}-{message}/{part}".encode(),
                ),
                **fields,
            )
            for message in range(number)
            for part in range(1, parts + 1)
        ]

    return make
