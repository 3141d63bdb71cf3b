"""What the tests of faults share: a carrier with a counting owner, a peer made of faults, and a count of what is alive."""

import gc
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import attrs
import pytest
import trio

from whiteroute.engine.carrier import Carrier, CarrierSettings, Host, LinkChange, OutgoingPart
from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import Exchange, ExchangeEnd, Session
from whiteroute.pdu import (
    OPERATIONS,
    BindTransceiver,
    EnquireLink,
    Framer,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    decode,
    encode,
    response_id,
)


@attrs.define(eq=False)
class CountingOwner:
    """Lets every part go at once, and counts how each of them ended."""

    ends: dict[str, list[str]] = attrs.field(factory=dict)
    """By message_ref: how its one attempt ended, or ended again."""
    message_ids: dict[str, str] = attrs.field(factory=dict)
    changes: list[LinkChange] = attrs.field(factory=list)
    news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)
    made: int = 0

    def _note(self, part: OutgoingPart, end: str) -> None:
        self.ends.setdefault(part.message_ref, []).append(end)
        self.news.unpark_all()

    def write_ahead(self, _carrier, parts, go) -> None:
        go(parts)

    def parts_ended(self, carrier: Carrier, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        for part, exchange in ended:
            assert exchange.end is not None
            self._note(part, exchange.end.name)
            if exchange.end is ExchangeEnd.ANSWERED:
                assert isinstance(exchange.response, SubmitSmResp)
                self.message_ids[part.message_ref] = exchange.response.message_id
            carrier.done_with(part)

    def parts_not_written(self, _carrier, parts) -> None:
        for part in parts:
            self._note(part, "not written")

    def parts_expired(self, _carrier, parts) -> None:
        for part in parts:
            self._note(part, "expired")

    def parts_left(self, _carrier, parts) -> None:
        for part in parts:
            self._note(part, "left")

    def late_response(self, _carrier, part, _response) -> None:
        pass  # told besides the end, which was noted

    def take(self, _carrier, _link, pdus) -> None:
        raise AssertionError(pdus)

    def link_changed(self, change: LinkChange) -> None:
        self.changes.append(change)
        self.news.unpark_all()

    async def wait(self, until: Callable[[], bool]) -> None:
        while not until():
            await self.news.park()

    async def wait_bound(self, carrier: Carrier) -> None:
        await self.wait(lambda: carrier.is_bound)

    async def send(self, carrier: Carrier, number: int) -> list[str]:
        """Send parts and wait until each has ended; gives how, in order, each once so far."""
        parts = [
            OutgoingPart(
                f"m-{self.made + each}",
                1,
                SubmitSm(
                    destination_addr="34600111222", short_message=str(self.made + each).encode()
                ),
            )
            for each in range(number)
        ]
        self.made += number
        carrier.enqueue(parts)
        await self.wait(lambda: all(part.message_ref in self.ends for part in parts))
        return [self.ends[part.message_ref][0] for part in parts]

    def check_each_ended_once(self) -> None:
        assert self.made == len(self.ends)
        assert {} == {ref: ends for ref, ends in self.ends.items() if 1 != len(ends)}


@pytest.fixture
def owner() -> CountingOwner:
    return CountingOwner()


@pytest.fixture
def open_carrier(owner: CountingOwner) -> Callable[..., object]:
    """Run a carrier with one bind to a port; the rest goes into its settings."""

    @asynccontextmanager
    async def opened(port: int, **account: object) -> AsyncIterator[Carrier]:
        timers = Timers()
        carrier = Carrier(
            CarrierSettings(
                name="acme", hosts=(Host("127.0.0.1", port),), system_id="gateway", **account
            ),
            owner=owner,
            arrived=owner.take,
            link_changed=owner.link_changed,
            timers=timers,
            random=Random(1),
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            nursery.start_soon(carrier.run)
            yield carrier
            nursery.cancel_scope.cancel()

    return opened


@attrs.define(eq=False)
class Conversation:
    """A peer's end of one link, with a real socket under it."""

    stream: trio.SocketStream
    framer: Framer = attrs.field(factory=Framer)
    frames: list[bytes] = attrs.field(factory=list)

    async def receive(self) -> Pdu | None:
        while not self.frames:
            octets = await self.stream.receive_some()
            if not octets:
                return None
            self.frames += self.framer.receive(bytes(octets))
        return decode(self.frames.pop(0))

    @staticmethod
    def answer_to(request: Pdu) -> bytes:
        fields = {}
        if isinstance(request, SubmitSm):
            # So that an answer which went to another request is seen.
            fields["message_id"] = "id-" + request.short_message.decode()
        number = response_id(request.command_id)
        assert number is not None
        return encode(OPERATIONS[number](sequence_number=request.sequence_number, **fields))

    async def bind(self) -> None:
        request = await self.receive()
        assert isinstance(request, BindTransceiver)
        await self.stream.send_all(self.answer_to(request))

    async def next_submit(self) -> SubmitSm | None:
        """Answer what else comes, and give the next submit_sm."""
        while (request := await self.receive()) is not None:
            if isinstance(request, SubmitSm):
                return request
            if isinstance(request, EnquireLink | Unbind):
                await self.stream.send_all(self.answer_to(request))
        return None

    async def behave(self) -> None:
        """Answer everything until the other side has closed."""
        await self.bind()
        while (request := await self.next_submit()) is not None:
            await self.stream.send_all(self.answer_to(request))

    def reset(self) -> None:
        """Have TCP reset when this is closed."""
        linger = struct.pack("ii", 1, 0)
        self.stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, linger)


Fault = Callable[[Conversation], Awaitable[None]]


@attrs.define(eq=False)
class FaultyPeer:
    """Has a fault on each link as they come, and behaves when there are no more."""

    port: int
    faults: list[Fault] = attrs.field(factory=list)
    links: int = 0


@pytest.fixture
def open_peer() -> Callable[..., object]:
    @asynccontextmanager
    async def opened(*faults: Fault) -> AsyncIterator[FaultyPeer]:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        peer = FaultyPeer(listener.socket.getsockname()[1], list(faults))

        async def serve(stream: trio.SocketStream) -> None:
            peer.links += 1
            act = peer.faults.pop(0) if peer.faults else Conversation.behave
            async with stream:
                with suppress(trio.BrokenResourceError):
                    await act(Conversation(stream))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, serve, [listener])
            try:
                yield peer
            finally:
                nursery.cancel_scope.cancel()

    return opened


def count_alive() -> Counter[str]:
    """What is alive in this run: tasks, sockets, and the objects that stand for a link."""
    gc.collect()
    kinds = (Link, Session, Exchange)
    alive = Counter(type(each).__name__ for each in gc.get_objects() if type(each) in kinds)
    alive["tasks"] = trio.lowlevel.current_statistics().tasks_living
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            alive["sockets"] += str(descriptor.readlink()).startswith("socket:")
        except OSError:  # the one that lists the folder
            continue
    return alive


@pytest.fixture
def alive() -> Callable[[], Counter[str]]:
    return count_alive
