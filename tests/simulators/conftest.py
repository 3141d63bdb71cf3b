"""What the tests of the simulators share: an ESME of ours, in memory or over TCP."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link, Timers, open_link
from whiteroute.engine.session import Arrived, Event, Exchange, Role, Session, SessionSettings
from whiteroute.pdu import (
    OPERATIONS,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DeliverSm,
    DeliveryReceipt,
    Pdu,
    SubmitSm,
    parse_receipt,
)
from whiteroute.simulators import MessageCenter

SETTINGS = SessionSettings(window=1000)


@attrs.define(eq=False)
class Esme:
    """One bind of ours, which keeps what is delivered to it."""

    link: Link = attrs.field(init=False)
    bound: Exchange = attrs.field(init=False)
    delivered: list[DeliverSm | DataSm] = attrs.field(factory=list)
    arrived_at: list[float] = attrs.field(factory=list)
    events: list[Event] = attrs.field(factory=list)
    statuses: list[int | None] = attrs.field(factory=list)
    """What the next deliver_sm are answered with, None for not at all; then ESME_ROK."""
    _news: trio.Event = attrs.field(factory=trio.Event)

    def take(self, link: Link, events: list[Event]) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, Arrived):
                assert isinstance(event.pdu, DeliverSm | DataSm)
                self.delivered.append(event.pdu)
                self.arrived_at.append(trio.current_time())
                status = self.statuses.pop(0) if self.statuses else 0
                if status is not None:
                    response = OPERATIONS[event.pdu.command_id | 0x8000_0000]
                    link.respond(event.pdu, response(command_status=status))
        self._news.set()
        self._news = trio.Event()

    @property
    def receipts(self) -> list[DeliveryReceipt]:
        """What was delivered, as receipts."""
        return [receipt for pdu in self.delivered if (receipt := parse_receipt(pdu))]

    async def wait_delivered(self, times: int) -> list[DeliverSm | DataSm]:
        while len(self.delivered) < times:
            await self._news.wait()
        return self.delivered

    async def request(self, pdu: Pdu) -> Pdu:
        exchange = await self.link.request(pdu)
        assert exchange.response is not None, exchange.end
        return exchange.response

    async def submit(self, to: str = "34600111222", **fields: object) -> Pdu:
        return await self.request(submit_sm(to, **fields))


def submit_sm(to: str = "34600111222", **fields: object) -> SubmitSm:
    usual: dict[str, object] = {
        "source_addr": "ACME",
        "source_addr_ton": 5,
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "registered_delivery": 1,
        "short_message": b"hello",
    }
    return SubmitSm(destination_addr=to, **(usual | fields))


@asynccontextmanager
async def _bind(stream: trio.abc.Stream, request: Pdu, settings: SessionSettings):
    esme = Esme()
    timers = Timers()
    session = Session(Role.ESME, settings, trio.current_time())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        async with open_link(stream, session, owner=esme.take, timers=timers) as link:
            esme.link = link
            esme.bound = await link.request(request)
            yield esme
        nursery.cancel_scope.cancel()


OpenEsme = Callable[..., AbstractAsyncContextManager[Esme]]
BINDS = {"trx": BindTransceiver, "tx": BindTransmitter, "rx": BindReceiver}


@pytest.fixture
def open_esme() -> OpenEsme:
    """Bind to a centre in memory, or over TCP if it listens."""

    @asynccontextmanager
    async def bind(
        center: MessageCenter,
        mode: str = "trx",
        *,
        system_id: str = "acme",
        settings: SessionSettings = SETTINGS,
        **fields: object,
    ) -> AsyncIterator[Esme]:
        request = BINDS[mode](system_id=system_id, **fields)
        if center.host:
            stream: trio.abc.Stream = await trio.open_tcp_stream(center.host, center.port)
            async with _bind(stream, request, settings) as esme:
                yield esme
            return
        stream, theirs = trio.testing.memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(center.serve_stream, theirs)
            async with _bind(stream, request, settings) as esme:
                yield esme

    return bind


@pytest.fixture
def make_submit() -> Callable[..., SubmitSm]:
    """Make a submit_sm as an ESME would."""
    return submit_sm
