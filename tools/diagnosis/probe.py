"""One link that is looked at: its stream noted, its events kept, every delivery acknowledged."""

from collections.abc import Callable
from typing import Final

import attrs
import trio

from whiteroute.engine.link import Link, Observer, Timers
from whiteroute.engine.session import (
    Arrived,
    CloseCause,
    Closed,
    Event,
    Exchange,
    Role,
    Session,
    SessionSettings,
    Unexpected,
)
from whiteroute.engine.transport import recognise
from whiteroute.pdu import (
    OPERATIONS,
    RESPONSE_BIT,
    CommandId,
    DataSm,
    DeliverSm,
    GenericNack,
    Pdu,
)

__all__ = ["Delivery", "NotedStream", "ProbedLink", "open_probe"]

KEPT_OCTETS: Final = 64
"""How much of what a peer sends first is kept, and of what breaks a stream."""


@attrs.define(eq=False)
class NotedStream(trio.abc.Stream):
    """Notes what comes, ahead of anybody who reads it as PDUs."""

    inner: trio.abc.Stream
    first_octets: bytes = b""
    latest: bytes = b""
    """What came last, at most 64 octets of its beginning."""
    received: int = 0

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets."""
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive octets; none at the end."""
        octets = await self.inner.receive_some(max_bytes)
        if octets:
            self.first_octets += bytes(octets[: KEPT_OCTETS - len(self.first_octets)])
            self.latest = bytes(octets[:KEPT_OCTETS])
            self.received += len(octets)
        return octets

    async def aclose(self) -> None:
        """Close."""
        await self.inner.aclose()


@attrs.frozen
class Delivery:
    """A deliver_sm or data_sm, and when it came."""

    pdu: DeliverSm | DataSm
    at: float
    """Seconds on Trio's clock."""


@attrs.define(eq=False, kw_only=True)
class ProbedLink:
    """A link and everything that happened on it; made by `open_probe`."""

    name: str
    noted: NotedStream
    link: Link = attrs.field(init=False)
    deliveries: list[Delivery] = attrs.field(factory=list[Delivery], init=False)
    nacks: list[Pdu] = attrs.field(factory=list[Pdu], init=False)
    """generic_nacks that name no request of ours."""
    enquired: int = attrs.field(default=0, init=False)
    """enquire_links of the peer."""
    pdus: int = attrs.field(default=0, init=False)
    """That came whole."""
    closed_at: float = attrs.field(default=0.0, init=False)
    bound_at: float = attrs.field(default=0.0, init=False)
    pdus_at_bind: int = attrs.field(default=0, init=False)
    _whole_octets: int = attrs.field(default=0, init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def closed(self) -> Closed | None:
        """How it ended; None while it stands."""
        return self.link.closed

    @property
    def rest(self) -> int:
        """Octets of a PDU that has not become whole."""
        return max(0, self.noted.received - self._whole_octets)

    @property
    def was_reset(self) -> bool:
        """Whether TCP was reset, as opposed to ended."""
        return self.closed is not None and "reset" in self.closed.detail.lower()

    @property
    def unbound_by_peer(self) -> bool:
        """Whether the peer unbound."""
        closed = self.closed
        return (
            closed is not None
            and closed.cause is CloseCause.UNBIND
            and closed.detail == "the peer unbound"
        )

    @property
    def spoken(self) -> str:
        """Which other protocol broke into the stream; empty if none is recognised."""
        if self.closed is None or self.closed.cause is not CloseCause.FRAMING:
            return ""
        return recognise(self.noted.latest) or recognise(self.noted.first_octets)

    async def wait_for(self, happened: Callable[[], bool], within: float) -> bool:
        """Wait until something has happened on the link, or it is over, or time is.

        Returns:
            Whether it has happened.
        """
        with trio.move_on_after(within):
            while not happened() and self.closed is None:
                await self._news.wait()
        return happened()

    def take(self, link: Link, events: list[Event]) -> None:
        """Keep what happened; acknowledge what is delivered."""
        for event in events:
            match event:
                case Arrived(pdu=DeliverSm() | DataSm() as pdu, at=at):
                    self.deliveries.append(Delivery(pdu, at))
                    link.respond(pdu, OPERATIONS[pdu.command_id | RESPONSE_BIT]())
                case Unexpected(pdu=GenericNack() as pdu):
                    self.nacks.append(pdu)
                case Closed():
                    self.closed_at = trio.current_time()
                case _:
                    pass
        news, self._news = self._news, trio.Event()
        news.set()

    def observe(self, octets: bytes) -> None:
        """Count a whole PDU that came."""
        self._whole_octets += len(octets)
        self.pdus += 1
        self.enquired += int.from_bytes(octets[4:8], "big") == CommandId.ENQUIRE_LINK

    async def ask(self, pdu: Pdu) -> Exchange:
        """Send a request, and wait for its end; a generic_nack without a number ends it as well."""
        nacks = len(self.nacks)
        exchange = self.link.send(pdu)
        while exchange.end is None and len(self.nacks) == nacks and self.closed is None:
            await self._news.wait()
        return exchange


def open_probe(
    stream: trio.abc.Stream,
    settings: SessionSettings,
    timers: Timers,
    name: str,
    observer: Observer | None,
) -> ProbedLink:
    """Make a link of a stream; whoever asks for it runs its `link`."""
    noted = NotedStream(stream)
    probe = ProbedLink(name=name, noted=noted)

    def observe(link: Link, outgoing: bool, octets: bytes, now: float) -> None:
        if not outgoing:
            probe.observe(octets)
        if observer is not None:
            observer(link, outgoing, octets, now)

    session = Session(Role.ESME, settings, trio.current_time())
    probe.link = Link(noted, session, timers, probe.take, name, observe)
    return probe
